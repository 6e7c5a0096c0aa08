/** Who copies: Slipway, and each peer as its own documentation says to do the same. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from '../kit/measure.ts';
import { slipway } from '../kit/slipway.ts';
import type { Paths } from '../kit/tools.ts';
import type { Copy } from './pair.ts';

export interface Contender {
  readonly name: string;
  /** `wide`: as many connections as Slipway may have here. `default`: as it comes. */
  readonly width: 'wide' | 'default';
  /** It works on one image after the other: a part of them tells how long all would take. */
  readonly slow: boolean;
  /** Writes its configuration into `folder`, which is empty. */
  prepare(folder: string, copies: readonly Copy[]): Promise<Command>;
}

/** Connections to one host, and images at once. */
const WIDE = 128;

/** Those that are built from the pinned modules; skopeo is Debian's. */
export const tools: readonly string[] = ['bench-kit', 'crane', 'regctl', 'regsync', 'oras'];

export function contenders(paths: Paths): readonly Contender[] {
  const path = (name: string): string => paths[name] ?? name;
  return [
    ours('wide'),
    ours('default'),
    regsync(path('regsync'), 'wide'),
    regsync(path('regsync'), 'default'),
    loop('crane', ({ source, destination }) => [path('crane'), 'copy', source, destination]),
    loop('oras', ({ source, destination }) => [
      ...[path('oras'), 'copy', '--from-plain-http', '--to-plain-http'],
      ...[source, destination],
    ]),
    loop('regctl', ({ source, destination }) => [
      ...[path('regctl'), '--host', `reg=${hostOf(source)},tls=disabled`],
      ...['--host', `reg=${hostOf(destination)},tls=disabled`, 'image', 'copy', source, destination],
    ]),
    loop('skopeo', ({ source, destination }) => [
      ...['skopeo', 'copy', '--all', '--preserve-digests', '--src-tls-verify=false', '--dest-tls-verify=false'],
      ...[`docker://${source}`, `docker://${destination}`],
    ]),
    skopeoSync,
  ];
}

function ours(width: Contender['width']): Contender {
  return {
    name: 'slipway',
    width,
    slow: false,
    async prepare(folder, copies) {
      const sync = copies.map(({ source, destination }) => `  - source: ${source}\n    destination: ${destination}\n`);
      await writeFile(join(folder, 'config.yaml'), `sync:\n${sync.join('')}`);
      const limits = width === 'wide' ? { limits: { host: WIDE, rampUp: false } } : {};
      const settings = { trust: [{ match: '**', level: 'copy' }], ...limits };
      await writeFile(join(folder, 'slipway.config.json'), JSON.stringify(settings));
      return slipway(folder, 'sync');
    },
  };
}

/** https://regclient.org/usage/regsync/ */
function regsync(path: string, width: Contender['width']): Contender {
  return {
    name: 'regsync',
    width,
    slow: false,
    async prepare(folder, copies) {
      const wide = width === 'wide';
      const hosts = [...new Set(copies.flatMap(({ source, destination }) => [hostOf(source), hostOf(destination)]))];
      const config = {
        version: 1,
        creds: hosts.map((registry) => ({ registry, tls: 'disabled', ...(wide ? { reqConcurrent: WIDE } : {}) })),
        ...(wide ? { defaults: { parallel: WIDE } } : {}),
        sync: copies.map(({ source, destination }) => ({ source, target: destination, type: 'image' })),
      };
      // JSON is YAML too.
      await writeFile(join(folder, 'regsync.yaml'), JSON.stringify(config));
      return { path, args: ['once', '--config', 'regsync.yaml', '--verbosity', 'warn'], cwd: folder };
    },
  };
}

/** A process an image, one after the other: what people write around a tool that copies one image. */
function loop(name: string, line: (copy: Copy) => readonly string[]): Contender {
  return {
    name,
    width: 'default',
    slow: true,
    async prepare(folder, copies) {
      await writeFile(join(folder, 'copy.sh'), copies.map((copy) => `${line(copy).join(' ')} >/dev/null\n`).join(''));
      return { path: '/bin/sh', args: ['-e', 'copy.sh'], cwd: folder };
    },
  };
}

/** One process, one image after the other: https://github.com/containers/skopeo/blob/main/docs/skopeo-sync.1.md */
const skopeoSync: Contender = {
  name: 'skopeo sync',
  width: 'default',
  slow: true,
  async prepare(folder, copies) {
    const [first] = copies;
    if (first === undefined) throw new Error('there is nothing to copy');
    const images = Map.groupBy(copies, ({ repository }) => repository);
    const registry = {
      'tls-verify': false,
      images: Object.fromEntries([...images].map(([repository, each]) => [repository, each.map(({ tag }) => tag)])),
    };
    await writeFile(join(folder, 'sync.yaml'), JSON.stringify({ [hostOf(first.source)]: registry }));
    // It keeps the last part of a repository's name only.
    const prefix = `${hostOf(first.destination)}/${first.repository.slice(0, first.repository.lastIndexOf('/'))}`;
    const flags = ['--all', '--preserve-digests', '--dest-tls-verify=false', '--src', 'yaml', '--dest', 'docker'];
    return { path: 'skopeo', args: ['sync', ...flags, 'sync.yaml', prefix], cwd: folder };
  },
};

function hostOf(reference: string): string {
  return reference.slice(0, reference.indexOf('/'));
}
