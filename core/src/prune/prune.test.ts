import { expect, it, onTestFinished } from 'vitest';
import type { Config, Selection, Signing } from '../config/model.ts';
import { mediaType } from '../oci/model.ts';
import { config, sync } from '../plan/sample.ts';
import { pin, type Digest, type Tag } from '../reference.ts';
import { client, must } from '../registry/test-client.ts';
import type { Engine } from '../run/engine.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { candidateAnnotations } from '../trust/accept.ts';
import type { Fact } from '../trust/facts.ts';
import { predicateType } from '../trust/model.ts';
import { prune, type PruneOptions } from './prune.ts';

const signer = { kind: 'key', publicKey: 'PEM', fingerprint: 'ab'.repeat(32) } as const;
const signing: Signing = { signer, accept: [signer] };

/**
 * The config names tag 1. What was verified earlier says that 2, 3 and a day's were copied by it, and 5 under another name; `twin` is the
 * image of 2, under a tag of somebody else.
 */
async function repository(more: (host: string) => Partial<Config> = () => ({})) {
  const scripted = await startScriptedRegistry();
  onTestFinished(() => scripted.close());
  const registry = client({ retries: 0 });
  onTestFinished(() => registry.close());
  const known = new Map<Digest, Fact>();
  for (const tag of ['1', '2', '2025-01-31', '3', '5', 'theirs']) {
    const size = Buffer.byteLength(tag);
    const { digest } = scripted.putManifest(
      'x',
      {
        schemaVersion: 2,
        mediaType: mediaType.ociManifest,
        config: { mediaType: mediaType.ociConfig, digest: scripted.putBlob('x', tag), size },
        layers: [],
      },
      tag,
    );
    if (tag === 'theirs') continue;
    const repository = { registry: scripted.host, path: 'x' };
    const annotations = candidateAnnotations(signer, predicateType.copy);
    const attachment = { artifactType: mediaType.bundle, annotations, bytes: Buffer.from(tag) };
    const [referrer] = must(
      await registry.attach({ mediaType: mediaType.ociManifest, digest, size: 1, repository }, [attachment]),
    );
    if (referrer === undefined) throw new Error('nothing was attached');
    const name = `${scripted.host}/x:${tag === '5' ? 'five' : tag}`;
    const copy = { source: 'a.example/x', sourceDigest: digest, targets: [name], previous: {}, time: '2026-11-30' };
    known.set(referrer.digest, {
      referrer: referrer.digest,
      subject: digest,
      predicateType: predicateType.copy,
      signer: signer.fingerprint,
      content: { kind: 'copy', copy },
    });
  }
  const two = scripted.manifest('x', '2');
  if (two === undefined) throw new Error('there is no tag 2');
  must(await registry.tag(pin({ registry: scripted.host, path: 'x' }, two.digest), 'twin' as Tag));
  const engine = {
    config: { ...config(sync('a.example/x:1', `${scripted.host}/x:1`)), ...more(scripted.host) },
    registry,
    memory: { get: (referrer: Digest) => known.get(referrer), put: async () => {} },
  } as unknown as Engine;
  const pruned = async (options: Partial<PruneOptions> = {}) => {
    const usual = { delete: false, max: 10, only: [], exclude: [], templated: false };
    const { tags } = must(await prune(engine, signing, { ...usual, signal: AbortSignal.any([]), ...options }));
    return tags.map(({ destination, state }) => `${destination.slice(destination.lastIndexOf(':') + 1)} ${state}`);
  };
  return { scripted, pruned, digest: two.digest };
}

it('lists what is proved to have been made under that very name, and is named no longer', async () => {
  const { scripted, pruned } = await repository();
  expect(await pruned()).toEqual(['2 listed', '2025-01-31 listed', '3 listed']);
  expect(await pruned({ only: ['*:3', '*-31'], exclude: ['*:9', '*-31'] })).toEqual(['3 listed']);
  expect(scripted.log.filter(({ method }) => method === 'DELETE')).toEqual([]);
});

it('lists nothing where it is not known what a selection names, and what a template may have made only when that is asked for', async () => {
  const closed = await repository((host) => ({
    selections: [{ id: `sync:${host}/x:{tag}`, destination: `${host}/x:{tag}`, values: {} } as unknown as Selection],
  }));
  expect(await closed.pruned()).toEqual([]);
  const dated = await repository((host) => {
    const [entry] = config(sync('a.example/x:1', `${host}/x:2026-11-30`)).entries;
    return entry === undefined ? {} : { entries: [{ ...entry, targets: [{ ...entry.targets[0], templated: true }] }] };
  });
  expect(await dated.pruned({ exclude: ['*:1', '*:2', '*:3'] })).toEqual([]);
  expect(await dated.pruned({ exclude: ['*:1', '*:2', '*:3'], templated: true })).toEqual(['2025-01-31 listed']);
});

it('deletes nothing more where a registry has deleted more than a tag', async () => {
  const { scripted, pruned, digest } = await repository();
  scripted.onRequest = async ({ method, path }) => {
    if (method !== 'DELETE' || !path.endsWith('/2')) return undefined;
    await fetch(`http://${scripted.host}/v2/x/manifests/${digest}`, { method: 'DELETE' });
    return { kind: 'answer', status: 202 };
  };
  expect(await pruned({ delete: true })).toEqual(['2 failed', '2025-01-31 listed', '3 listed']);
  expect(scripted.manifest('x', 'twin')?.digest).toBe(digest);
});

it('deletes nothing more once it is interrupted', async () => {
  const { scripted, pruned } = await repository();
  const interrupt = new AbortController();
  scripted.onRequest = ({ method }) => void (method === 'DELETE' && interrupt.abort());
  expect(await pruned({ delete: true, signal: interrupt.signal })).toEqual([
    '2 deleted',
    '2025-01-31 listed',
    '3 listed',
  ]);
  expect(scripted.tags('x')).toEqual(expect.arrayContaining(['2025-01-31', '3']));
});
