import { expect, it, onTestFinished } from 'vitest';
import type { Config, Selection } from '../config/model.ts';
import type { Signing } from '../config/settings-model.ts';
import type { UntimedEvent } from '../journal/events.ts';
import { configFailure, type Failure } from '../failure.ts';
import { mediaType } from '../oci/model.ts';
import { config, sync } from '../plan/sample.ts';
import { pin, type Digest, type Tag } from '../reference.ts';
import { client, must } from '../registry/test-client.ts';
import type { Engine } from '../run/engine.ts';
import { formatPruned } from '../report/pruned.ts';
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
  const interrupt = new AbortController();
  const registry = client({ retries: 0, signal: interrupt.signal });
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
  const events: UntimedEvent[] = [];
  // What the journal says once it has taken so many events, as on a full disk.
  const full = { after: Number.POSITIVE_INFINITY };
  const unrecorded = (): Failure | undefined => (events.length > full.after ? configFailure('full', '') : undefined);
  const engine = {
    config: { ...config(sync('a.example/x:1', `${scripted.host}/x:1`)), ...more(scripted.host) },
    registry,
    memory: { get: (referrer: Digest) => known.get(referrer), put: async () => {} },
    run: 'r',
    now: () => new Date(),
    emit: (event: UntimedEvent) => void events.push(event),
    unrecorded,
  } as unknown as Engine;
  const ran = (options: Partial<PruneOptions> = {}) => {
    const usual = { delete: false, max: 10, only: [], exclude: [], templated: false, version: '0' };
    return prune(engine, signing, { ...usual, signal: AbortSignal.any([]), ...options });
  };
  const pruned = async (options: Partial<PruneOptions> = {}) =>
    must(await ran(options)).tags.map(({ destination, state }) => `${nameOf(destination)} ${state}`);
  /** Type, tag and how it ended. */
  const told = () =>
    events.map((event) => {
      if (event.type === 'tag.delete') return `${event.type} ${nameOf(event.tag)}`;
      if (event.type === 'tag.done') return `${event.type} ${nameOf(event.tag)} ${event.state}`;
      return event.type === 'run.done' ? `${event.type} ${event.exitCode}` : event.type;
    });
  return { scripted, ran, pruned, told, events, full, interrupt, digest: two.digest };
}

function nameOf(destination: string): string {
  return destination.slice(destination.lastIndexOf(':') + 1);
}

it('lists what is proved to have been made under that very name, and is named no longer', async () => {
  const { scripted, pruned, told } = await repository();
  expect(await pruned()).toEqual(['2 listed', '2025-01-31 listed', '3 listed']);
  expect(await pruned({ only: ['*:3', '*-31'], exclude: ['*:9', '*-31'] })).toEqual(['3 listed']);
  expect(scripted.log.filter(({ method }) => method === 'DELETE')).toEqual([]);
  expect(await pruned({ delete: true, only: ['*:9'] })).toEqual([]);
  expect(told()).toEqual([]);
});

it('lists nothing where it is not known what a selection names, and what a template may have made only when that is asked for', async () => {
  const closed = await repository((host) => ({
    selections: [{ id: `sync:${host}/x:{tag}`, destination: `${host}/x:{tag}`, values: {} } as unknown as Selection],
  }));
  expect(await closed.pruned()).toEqual([]);
  const dated = await repository((host) => {
    const [entry] = config(sync('a.example/x:1', `${host}/x:2026-11-30`)).entries;
    return entry === undefined
      ? {}
      : { entries: [{ ...entry, targets: [{ ...entry.targets[0], templated: true, template: '{date}' }] }] };
  });
  expect(await dated.pruned({ exclude: ['*:1', '*:2', '*:3'] })).toEqual([]);
  expect(await dated.pruned({ exclude: ['*:1', '*:2', '*:3'], templated: true })).toEqual(['2025-01-31 listed']);
});

it('deletes nothing more where a registry has deleted more than a tag', async () => {
  const { scripted, pruned, told, digest } = await repository();
  scripted.onRequest = async ({ method, path }) => {
    if (method !== 'DELETE' || !path.endsWith('/2')) return undefined;
    await fetch(`http://${scripted.host}/v2/x/manifests/${digest}`, { method: 'DELETE' });
    return { kind: 'answer', status: 202 };
  };
  expect(await pruned({ delete: true })).toEqual(['2 failed', '2025-01-31 listed', '3 listed']);
  expect(scripted.manifest('x', 'twin')?.digest).toBe(digest);
  expect(told()).toEqual(['run.start', 'tag.delete 2', 'tag.done 2 deleted', 'run.done 1']);
});

it('a tag that nobody saw go, for it was interrupted, may be gone; one whose deletion was only not answered is', async () => {
  const { scripted, ran, told, interrupt } = await repository();
  scripted.onRequest = ({ method, path }) => {
    if (method !== 'DELETE') return undefined;
    if (path.endsWith('/3')) interrupt.abort();
    return { kind: 'lost' };
  };
  const { tags, ...rest } = must(
    await ran({ delete: true, max: 10, templated: false, only: ['*:2', '*:3'], signal: interrupt.signal }),
  );
  expect(tags).toMatchObject([
    { state: 'deleted' },
    { state: 'failed', failure: { class: 'cancelled', message: expect.stringContaining('may be gone') as unknown } },
  ]);
  expect(told()).toEqual(['run.start', 'tag.delete 2', 'tag.done 2 deleted', 'tag.delete 3', 'run.done 130']);
  const [, last] = tags;
  if (last?.failure === undefined) throw new Error('it failed');
  for (const failure of [last.failure, { ...last.failure, class: 'transient' as const } as Failure])
    expect(formatPruned({ ...rest, tags: [{ ...last, failure }] })).toMatch(
      /may be gone.*\n0 of 1 deleted\nslipway rollback r puts back/,
    );
});

it('deletes nothing more once it is interrupted', async () => {
  const { scripted, pruned, told } = await repository();
  const interrupt = new AbortController();
  scripted.onRequest = ({ method }) => void (method === 'DELETE' && interrupt.abort());
  expect(await pruned({ delete: true, signal: interrupt.signal })).toEqual([
    '2 deleted',
    '2025-01-31 listed',
    '3 listed',
  ]);
  expect(scripted.tags('x')).toEqual(expect.arrayContaining(['2025-01-31', '3']));
  expect(told()).toEqual(['run.start', 'tag.delete 2', 'tag.done 2 deleted', 'run.done 130']);
});

it('tells of each tag before it is deleted, and how that ended', async () => {
  const { scripted, ran, told, events, digest } = await repository();
  const seen: (readonly [url: string, last: UntimedEvent | undefined])[] = [];
  scripted.onRequest = ({ method, path }) => void (method === 'DELETE' && seen.push([path, events.at(-1)]));
  expect(must(await ran({ delete: true })).run).toBe('r');
  expect(seen.map(([path]) => path.slice(path.lastIndexOf('/') + 1))).toEqual(['2', '2025-01-31', '3']);
  expect(seen[0]?.[1]).toEqual({ type: 'tag.delete', tag: `${scripted.host}/x:2`, digest });
  expect(told()).toEqual([
    'run.start',
    ...['2', '2025-01-31', '3'].flatMap((tag) => [`tag.delete ${tag}`, `tag.done ${tag} deleted`]),
    'run.done 0',
  ]);
});

it.each([0, 3])(
  'deletes nothing of which there is no record, as on a disk that is full after %i events',
  async (after) => {
    const { scripted, ran, full } = await repository();
    full.after = after;
    const ended = await ran({ delete: true });
    if (after === 0) expect(ended).toMatchObject({ ok: false, failure: { message: 'full' } });
    else expect(must(ended).tags.map(({ state }) => state)).toEqual(['deleted', 'failed', 'failed']);
    expect(scripted.tags('x')).toEqual(
      expect.arrayContaining(after === 0 ? ['2', '2025-01-31', '3'] : ['2025-01-31', '3']),
    );
  },
);
