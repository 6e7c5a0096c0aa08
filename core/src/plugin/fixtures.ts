/** What the tests of the host share. */
import { fail, ok } from '../failure.ts';
import { parseDigest, pin, type Pinned } from '../reference.ts';
import type { Registry } from '../registry/model.ts';
import type { Plugin, TaskContext } from './api.ts';
import { createHost, type HostOptions } from './host.ts';
import type { LoadedPlugin } from './load.ts';

const digest = parseDigest(`sha256:${'a'.repeat(64)}`);
if (digest === undefined) {
  throw new Error('not a digest');
}
export const DIGEST = digest;
export const image: Pinned = pin({ registry: 'example.org', path: 'a/b' }, DIGEST);
export const copyInput = { sources: [image] as const, destination: image };
export const at = { file: 'slipway.config.yaml', line: 3, column: 5 };
export const limits = { tap: 60, stop: 60 };

export function loaded(name: string, apply: Plugin['apply']): LoadedPlugin {
  return {
    plugin: { name, version: '1.0.0', api: '1.0', needs: { tools: [{ name: `${name}-tool`, range: '*' }] }, apply },
    options: {},
    at,
  };
}

export function contextWith(signal: AbortSignal = new AbortController().signal): TaskContext {
  return {
    exec: async () => fail({ reason: 'cancelled', class: 'cancelled', message: 'no tools here' }),
    toolVersion: async () => ok('1.0.0'),
    // No test of the host speaks to a registry.
    registry: {} as Registry,
    files: { root: '/', work: '/', shared: '/', cache: '/' },
    log: () => {},
    signal,
    plainHttp: () => false,
    progress: () => {},
    fetchJson: async () => fail({ reason: 'cancelled', class: 'cancelled', message: 'no network here' }),
  };
}

export async function hostOf(plugins: readonly LoadedPlugin[], options: HostOptions = {}) {
  const hosted = await createHost(plugins, {}, { limits, ...options });
  if (!hosted.ok) {
    throw new Error(hosted.failures.map(({ message }) => message).join('\n'));
  }
  return hosted.value;
}

export async function failuresOf(plugins: readonly LoadedPlugin[], use: Parameters<typeof createHost>[1] = {}) {
  const hosted = await createHost(plugins, use, { limits });
  return hosted.ok ? [] : hosted.failures;
}
