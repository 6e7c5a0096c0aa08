/** `init`: a repository to start from. What it writes passes `plan` and `check --offline`, and overwrites nothing. */
import { lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { configFailure, fail, ok, type Result } from '@slipway/core';
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
  // A new repository often has these; what they lack is said.
  const kept = Object.keys(SHARED).filter((path) => isThere(root, path));
  const written = writeNew(root, Object.fromEntries(Object.entries(starting).filter(([path]) => !kept.includes(path))));
  if (!written.ok) return refuse(io, json, 'init', [written.failure]);
  const emitted = await emit({ ...io, cwd: root }, { config: 'config.yaml', split: false }, 'github');
  if (!emitted.ok) return refuse(io, json, 'init', emitted.failures);
  const workflows = Object.fromEntries(emitted.value.map(({ path, content }) => [`.github/${path}`, content]));
  const more = writeNew(root, workflows);
  if (!more.ok) return refuse(io, json, 'init', [more.failure]);
  const files = [...written.value, ...more.value];
  return answer(io, json, 'init', EXIT.done, { folder: root, files, kept }, () => {
    const shown = relative(io.cwd, root);
    const lines = files.map((file) => `${join(shown, file)}\n`).join('');
    const notes = kept.map((path) => `${path} stays as it is: ${SHARED[path]}\n`).join('');
    return `${lines}${notes}\n${nextSteps(shown, repository)}`;
  });
}

/** Files that are not of Slipway alone → what to do where there is one. */
const SHARED: Readonly<Record<string, string>> = {
  'package.json': 'npm install --save-dev slipway',
  '.gitignore': 'add .slipway/ and node_modules/ to it',
};

/** A link that points nowhere is there too. */
function isThere(root: string, path: string): boolean {
  return lstatSync(join(root, path), { throwIfNoEntry: false }) !== undefined;
}

/** `org/repository` of the checkout's `origin` on GitHub, as git's config has it. */
function repositoryOf(root: string): string | undefined {
  try {
    const config = readFileSync(join(root, '.git', 'config'), 'utf8');
    const origin = /^\[remote "origin"\]\s*\n(?:(?!\[).*\n)*?\s*url = (.*)$/m.exec(config)?.[1] ?? '';
    return /github\.com[:/]([A-Za-z0-9-]+\/[A-Za-z0-9._-]+?)(?:\.git)?\/?$/.exec(origin)?.[1];
  } catch {
    return undefined;
  }
}

/** All of them or none: a repository that has one of these has been started already. */
function writeNew(root: string, files: Readonly<Record<string, string>>): Result<readonly string[]> {
  const there = Object.keys(files).filter((path) => isThere(root, path));
  if (there.length > 0) {
    const hint = 'init writes into a new repository only: name another folder, or move them away';
    return fail(configFailure(`${there.join(', ')} ${there.length === 1 ? 'is' : 'are'} there already`, hint));
  }
  try {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content, { flag: 'wx' });
    }
    return ok(Object.keys(files));
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return fail(configFailure(`${root} cannot be written (${code})`, 'name another folder'));
  }
}

function startingFiles(repository: string): Readonly<Record<string, string>> {
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
  1. ${enter}npm install      writes package-lock.json, which the workflows install from
  2. ${adapt}npx slipway plan && npx slipway check --offline
  3. npx slipway tools install && npx slipway run --to oci:./out      builds and scans, and publishes nothing
  4. commit and push: the workflows in .github publish from main; after a change of the config: npx slipway emit github
`;
}
