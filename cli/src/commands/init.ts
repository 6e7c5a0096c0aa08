/** `init`: a repository to start from. What it writes passes `plan` and `check --offline`, and overwrites nothing. */
import { lstatSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import {
  claimElsewhere,
  configFailure,
  errorCode,
  fail,
  makeFolder,
  ok,
  readRegular,
  temporaryFailure,
  type Checked,
  type Result,
} from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import type { Io } from '../io.ts';
import { VERSION } from '../version.ts';
import { emit } from './emit.ts';

export interface InitOptions {
  readonly json: boolean;
}

export async function initCommand(io: Io, folder: string, { json }: InitOptions): Promise<number> {
  const root = resolve(io.cwd, folder);
  const repository = repositoryOf(root) ?? 'example/images';
  const starting = startingFiles(repository);
  const workflows = await workflowsOf(io, starting);
  if (!workflows.ok) return refuse(io, json, 'init', workflows.failures);
  const written = writeNew(root, { ...starting, ...workflows.value });
  if (!written.ok) return refuse(io, json, 'init', [written.failure]);
  const { files, kept } = written.value;
  return answer(io, json, 'init', EXIT.done, { folder: root, files, kept }, () => {
    const shown = relative(io.cwd, root);
    const lines = files.map((file) => `${join(shown, file)}\n`).join('');
    const notes = kept.map((path) => `${path} stays as it is: ${SHARED[path]}\n`).join('');
    return `${lines}${notes}${strayNote(root)}\n${nextSteps(shown, repository)}`;
  });
}

type Files = Readonly<Record<string, string>>;

/** Made of a copy of the files elsewhere, so that all paths are known before anything is written. */
async function workflowsOf(io: Io, starting: Files): Promise<Checked<Files>> {
  let claimed: Awaited<ReturnType<typeof claimElsewhere>> | undefined;
  try {
    claimed = await claimElsewhere('slipway-init-');
    write(claimed.path, starting);
    const emitted = await emit({ ...io, cwd: claimed.path }, { config: 'config.yaml', split: false }, 'github');
    if (!emitted.ok) return emitted;
    return ok(Object.fromEntries(emitted.value.map(({ path, content }) => [`.github/${path}`, content])));
  } catch (error) {
    const failure = temporaryFailure(error);
    if (failure === undefined) throw error;
    return { ok: false, failures: [failure] };
  } finally {
    await claimed?.release();
  }
}

/** The packages are not on a package registry; the README says how these files are made. */
const INSTALL = 'npm install --save-dev ./vendor/slipway-*.tgz';

/** Files that are not of Slipway alone → what to do where there is one. */
const SHARED: Files = {
  'package.json': `add Slipway to it: ${INSTALL}`,
  '.gitignore': 'add .slipway/ and node_modules/ to it',
};

/** A link that points nowhere is there too. */
function isThere(root: string, path: string): boolean {
  return lstatSync(join(root, path), { throwIfNoEntry: false }) !== undefined;
}

const MAX_GIT_CONFIG = 1024 * 1024;

/** `org/repository` of the checkout's `origin` on GitHub, as git's config has it. */
function repositoryOf(root: string): string | undefined {
  const config = readRegular(join(root, '.git', 'config'), MAX_GIT_CONFIG) ?? '';
  const origin = /^\[remote "origin"\]\s*\n(?:(?!\[).*\n)*?\s*url = (.*)$/m.exec(config)?.[1] ?? '';
  return /github\.com[:/]([A-Za-z0-9-]+\/[A-Za-z0-9._-]+?)(?:\.git)?\/?$/.exec(origin)?.[1];
}

/** A folder in somebody's checkout: its workflows would be committed, and never run. */
function strayNote(root: string): string {
  if (isThere(root, '.git')) return '';
  const above = parentsOf(root).find((folder) => isThere(folder, '.git'));
  return above === undefined
    ? ''
    : `.github is read in the root of a repository alone, and this one's is ${above}: run init there, or git init here\n`;
}

function parentsOf(folder: string): readonly string[] {
  const parent = dirname(folder);
  return parent === folder ? [] : [parent, ...parentsOf(parent)];
}

interface Written {
  readonly files: readonly string[];
  /** A new repository often has these; what they lack is said. */
  readonly kept: readonly string[];
}

/** All of them or none: a repository that has one of these has been started already. */
function writeNew(root: string, files: Files): Result<Written> {
  try {
    const there = Object.keys(files).filter((path) => isThere(root, path));
    const taken = there.filter((path) => !Object.hasOwn(SHARED, path));
    if (taken.length > 0) {
      const hint = 'init writes into a new repository only: name another folder, or move them away';
      return fail(configFailure(`${taken.join(', ')} ${taken.length === 1 ? 'is' : 'are'} there already`, hint));
    }
    const fresh = Object.fromEntries(Object.entries(files).filter(([path]) => !there.includes(path)));
    write(root, fresh);
    return ok({ files: Object.keys(fresh), kept: there });
  } catch (error) {
    return fail(configFailure(`${root} cannot be written (${errorCode(error)})`, 'name another folder'));
  }
}

function write(root: string, files: Files): void {
  for (const [path, content] of Object.entries(files)) {
    makeFolder(dirname(join(root, path)));
    writeFileSync(join(root, path), content, { flag: 'wx' });
  }
}

function startingFiles(repository: string): Files {
  const prefix = `ghcr.io/${repository.toLowerCase()}`;
  const workflows = `https://github.com/${repository}/.github/workflows/`.replaceAll('.', '\\.');
  return {
    'config.yaml': `# What Slipway publishes. How it is done (plugins, policy, signing) stands in slipway.config.yaml.

# Images that others make, copied by digest with all their platforms. Pin them as tag@digest: \`slipway update\` moves the
# digest when you want it to.
#
# sync:
#   - source: docker.io/library/alpine:3.20@sha256:…
#     destination: ${prefix}/alpine:3.20

# Images that are built here: YAML with apko, a Dockerfile with Docker.
build:
  - source: ./images/hello/apko.yaml
    destination: ${prefix}/hello:latest
    platforms: [linux/amd64, linux/arm64]
`,
    'slipway.config.yaml': `# How it is done: the settings.

# Who signs: the workflows of this repository, on its main branch, by their own identity. There is no key to keep.
signing:
  keyless:
    issuer: https://token.actions.githubusercontent.com
    subjectPattern: '${workflows}(build|sync|scan|run)\\.yml@refs/heads/main'

# What is not published: see the page on settings. As it stands, a built image with a critical or high finding that has a fix.
# policy:
#   build: refuse
`,
    'images/hello/apko.yaml': `# https://github.com/chainguard-dev/apko/blob/main/docs/apko_file.md
contents:
  repositories:
    - https://dl-cdn.alpinelinux.org/alpine/v3.22/main
  packages:
    - alpine-baselayout-data
    - alpine-release
    - busybox
    - ca-certificates-bundle

accounts:
  run-as: '65532'

environment:
  PATH: /usr/bin:/bin

entrypoint:
  command: /bin/busybox echo hello

archs:
  - x86_64
  - aarch64
`,
    'package.json': `${JSON.stringify({ private: true, devDependencies: { slipway: VERSION } }, null, 2)}\n`,
    '.gitignore': '.slipway/\nnode_modules/\n',
  };
}

function nextSteps(folder: string, repository: string): string {
  const enter = folder === '' ? '' : `cd ${folder} && `;
  const adapt =
    repository === 'example/images' ? 'put your organisation in place of example in both files, then\n    ' : '';
  return `Next:
  1. ${enter}${INSTALL}
    from a checkout of Slipway: npm pack --workspaces (see its README); the workflows install from vendor and package-lock.json
  2. ${adapt}npx slipway plan && npx slipway check --offline
  3. npx slipway tools install && npx slipway run --to oci:./out      builds and scans, and publishes nothing
  4. commit and push: the workflows in .github publish from main; after a change of the config: npx slipway emit github
`;
}
