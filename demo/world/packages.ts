/** The packages of the world's Alpine repository. */
import { readFile } from 'node:fs/promises';
import { text, type Member } from './archive.ts';
import type { Package } from './apk.ts';
import type { Runner } from './processes.ts';

/** What scanners go by; the vulnerability database has advisories for this release. */
export const OS_RELEASE = `ID=alpine
NAME="Alpine Linux"
PRETTY_NAME="Alpine Linux v3.20"
VERSION_ID=3.20.3
`;

const PASSWD = `root:x:0:0:root:/root:/bin/sh
nonroot:x:65532:65532:nonroot:/home/nonroot:/bin/sh
`;
const GROUP = `root:x:0:
nonroot:x:65532:
`;

function directories(...paths: readonly string[]): readonly Member[] {
  return paths.map((path) => ({ type: 'directory', path }));
}

function script(path: string, body: string): Member {
  return { type: 'file', path, content: text(`#!/bin/sh\n${body}\n`), mode: 0o755 };
}

/** All packages, the same for every architecture. `binary` is a statically linked busybox of this machine. */
export async function worldPackages(binary: string, run: Runner): Promise<readonly Package[]> {
  const applets = (await run(binary, ['--list'])).stdout
    .split('\n')
    .filter((name) => name !== '' && name !== 'busybox');
  return [
    release(),
    // The other architecture gets this machine's binary too: its images are built, scanned and signed, never run.
    busybox(await readFile(binary), applets),
    hello('1.0.0-r0'),
    leaky('1.0.0-r0'),
  ];
}

function release(): Package {
  return {
    name: 'slipway-release',
    version: '3.20.3-r0',
    description: 'names the distribution and its users',
    members: [
      ...directories('etc', 'home', 'home/nonroot', 'root', 'tmp'),
      { type: 'file', path: 'etc/alpine-release', content: text('3.20.3\n') },
      { type: 'file', path: 'etc/group', content: text(GROUP) },
      { type: 'file', path: 'etc/os-release', content: text(OS_RELEASE) },
      { type: 'file', path: 'etc/passwd', content: text(PASSWD) },
    ],
  };
}

function busybox(binary: Uint8Array, applets: readonly string[]): Package {
  return {
    name: 'busybox',
    version: '1.35.0-r0',
    description: 'a shell and many small programs',
    members: [
      ...directories('bin'),
      { type: 'file', path: 'bin/busybox', content: binary, mode: 0o755 },
      ...applets.map((name): Member => ({ type: 'symlink', path: `bin/${name}`, target: '/bin/busybox' })),
    ],
  };
}

function hello(version: string): Package {
  return {
    name: 'hello',
    version,
    description: 'says hello',
    depends: ['busybox'],
    members: [...directories('usr', 'usr/bin'), script('usr/bin/hello', 'echo "hello from slipway"')],
  };
}

function leaky(version: string): Package {
  return {
    name: 'leaky',
    version,
    description: 'has a critical vulnerability that a newer version fixes',
    depends: ['busybox'],
    members: [...directories('usr', 'usr/bin'), script('usr/bin/leaky', 'echo "leaking"')],
  };
}
