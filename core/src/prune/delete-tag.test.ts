import { expect, it, onTestFinished } from 'vitest';
import { mediaType } from '../oci/model.ts';
import { parseDigest, type Digest, type Tag, type Tagged } from '../reference.ts';
import { client, must } from '../registry/test-client.ts';
import { startScriptedRegistry, type ScriptedOptions } from '../testing/scripted-registry.ts';
import { deleteTag, tagsByDigest } from './delete-tag.ts';

/** A repository whose tags `a` and `b` name one image, and `c` another. */
async function repository(options: ScriptedOptions = {}) {
  const scripted = await startScriptedRegistry(options);
  onTestFinished(() => scripted.close());
  const registry = client({ retries: 0 });
  onTestFinished(() => registry.close());
  const image = (config: string): unknown => ({
    schemaVersion: 2,
    mediaType: mediaType.ociManifest,
    config: { mediaType: mediaType.ociConfig, digest: scripted.putBlob('x', config), size: config.length },
    layers: [],
  });
  const { digest } = scripted.putManifest('x', image('{"one":1}'), 'a');
  scripted.putManifest('x', image('{"one":1}'), 'b');
  scripted.putManifest('x', image('{"two":2}'), 'c');
  const target = (tag: string): Tagged =>
    ({ kind: 'tagged', registry: scripted.host, path: 'x', tag: tag as Tag }) as Tagged;
  let asked: number | undefined;
  const announce = (): undefined => void (asked = scripted.log.length);
  const doomed = async (tag: string, digestOf: Digest, ...staying: readonly string[]) => {
    const named = must(await tagsByDigest(registry, target(tag), staying as readonly Tag[]));
    return deleteTag(registry, { target: target(tag), digest: digestOf, sharers: named.get(digestOf) ?? [] }, announce);
  };
  return { scripted, doomed, digest, announced: () => asked };
}

it('deletes the tag, and leaves the image that another tag names', async () => {
  const { scripted, doomed, digest, announced } = await repository();
  expect(await doomed('a', digest, 'b', 'c')).toEqual({ ok: true });
  expect(scripted.log[announced() ?? 0]?.method).toBe('DELETE');
  expect(scripted.tags('x')).toEqual(['b', 'c']);
  expect(scripted.manifest('x', 'b')?.digest).toBe(digest);
});

it('leaves a tag that has moved since it was judged', async () => {
  const { scripted, doomed, digest, announced } = await repository();
  const gone = await doomed('c', digest, 'a', 'b');
  expect(announced()).toBeUndefined();
  expect(gone).toMatchObject({ ok: false, tag: 'kept', failure: { reason: 'trust' } });
  expect(scripted.tags('x')).toEqual(['a', 'b', 'c']);
  expect(scripted.log.filter(({ method }) => method === 'DELETE')).toEqual([]);
});

it('puts back what a registry takes with the tag, and says that it is not safe there', async () => {
  const { scripted, doomed, digest } = await repository();
  scripted.onRequest = async ({ method, path }) => {
    if (method !== 'DELETE' || !path.endsWith('/a')) return undefined;
    // As registries do that take the tag for the image it names.
    await fetch(`http://${scripted.host}/v2/x/manifests/${digest}`, { method: 'DELETE' });
    return { kind: 'answer', status: 202 };
  };
  const content = scripted.manifest('x', 'a')?.bytes ?? new Uint8Array();
  scripted.putManifest('x', Buffer.from(content).toString(), 'd', mediaType.ociManifest);
  const taken = await doomed('a', digest, 'b', 'c', 'd');
  expect(taken).toMatchObject({ ok: false, tag: 'gone' });
  expect(taken.ok ? '' : taken.failure.message).toContain(
    `${scripted.host}/x:b, ${scripted.host}/x:d name too; those tags were put back`,
  );
  for (const tag of ['b', 'd']) expect(scripted.manifest('x', tag)?.digest, tag).toBe(parseDigest(digest));
});

it('goes on nowhere where it is not known what a registry took with the tag', async () => {
  const { scripted, doomed, digest } = await repository();
  scripted.onRequest = ({ method, path }) =>
    method === 'HEAD' && path.endsWith('/b') && !scripted.tags('x').includes('a')
      ? { kind: 'answer', status: 403 }
      : undefined;
  expect(await doomed('a', digest, 'b', 'c')).toMatchObject({ ok: false, tag: 'gone' });
});

it.each([405, 400])('says that a registry which answers %d does not delete tags', async (status) => {
  const { scripted, doomed, digest } = await repository({
    onRequest: ({ method }) => (method === 'DELETE' ? { kind: 'answer', status } : undefined),
  });
  const refused = await doomed('a', digest, 'b');
  expect(refused).toMatchObject({ ok: false, tag: 'kept', failure: { reason: 'registry', status } });
  expect(refused.ok ? '' : refused.failure.hint).toContain('does not delete tags');
  expect(scripted.tags('x')).toEqual(['a', 'b', 'c']);
});
