/** What melange says when it fails, in words that say what to change. */
import type { Failure } from '@slipway/core';

interface Reason {
  readonly said: RegExp;
  /** `$1` is what the first group of `said` matched, here and in the hint. */
  readonly message: string;
  readonly hint: string;
}

/** In the order in which a build can fail. */
const REASONS: readonly Reason[] = [
  {
    said: /unable to load pipeline: open pipelines\/(\S+)\.yaml:/,
    message: 'there is no pipeline "$1"',
    hint: 'it is neither one of melange nor a file pipelines/$1.yaml with steps in it, beside the config or in the folder of config.yaml',
  },
  {
    said: /must provide at least one repository/,
    message: 'the build environment of the package has no repository',
    hint: 'name one under environment.contents.repositories',
  },
  {
    said: /reading index (\S+): unexpected status code 40[0-9]/,
    message: 'there is no index $1',
    hint: 'check environment.contents.repositories, and that the repository has this architecture',
  },
  {
    said: /nothing provides "([^"]+)"/,
    message: 'no repository has the package "$1", which the build environment installs',
    hint: 'check environment.contents.packages; a package of your own must be made by a config under melangeConfigs',
  },
  {
    said: /parsing \S+APKINDEX\S*: .*(?:signature|key)/,
    message: 'a repository of the build environment is not signed by a key that is accepted',
    hint: 'name its public key under environment.contents.keyring',
  },
  {
    said: /signature verification failed for repository index/,
    message: 'a repository of the build environment is signed by another key than the one of that file name',
    hint: 'give each key a name of its own, also the signingKey of build-melange',
  },
  {
    said: /execvp \/bin\/sh: No such file or directory|exec: "\/bin\/sh"/,
    message: 'the build environment of the package has no shell: there is no /bin/sh in it',
    hint: 'install one, as busybox, under environment.contents.packages',
  },
  {
    said: /unable to run containers using (\S+)/,
    message: 'packages cannot be built with $1 here',
    hint: 'bubblewrap needs user namespaces, which some containers forbid: allow them, or set another runner in the options of build-melange',
  },
  {
    said: /unable to run (?:sub)?package (\S+) pipeline: unable to run pipeline: (exit status \d+)/,
    message: 'a step of the pipeline of $1 ended with $2',
    hint: 'read what it said above',
  },
];

/** Leaves a failure that trying again can mend as it is. */
export function explain(failure: Failure): Failure {
  if (failure.reason !== 'tool' || failure.class === 'transient') return failure;
  const output = failure.output ?? '';
  for (const { said, message, hint } of REASONS) {
    const match = said.exec(output);
    if (match === null) continue;
    const filled = (words: string): string =>
      words.replace(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? '');
    return { ...failure, message: filled(message), hint: filled(hint) };
  }
  return failure;
}
