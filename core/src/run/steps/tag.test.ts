import { expect, onTestFinished, test } from 'vitest';
import { configFailure, type Failure } from '../../failure.ts';
import type { Digest, Tag, Tagged } from '../../reference.ts';
import { client, failureOf, must } from '../../registry/test-client.ts';
import { seedImage } from '../../testing/sample-images.ts';
import { startScriptedRegistry, type Action } from '../../testing/scripted-registry.ts';
import { moveTag } from './tag.ts';

/** A tag that names an old image, and a new one beside it; `onPut` is what happens when the tag is to move. */
async function moved(onPut: () => Action | undefined, tagged = true, retries = 0) {
  const server = await startScriptedRegistry();
  const registry = client({ retries });
  onTestFinished(async () => {
    await registry.close();
    await server.close();
  });
  const image = seedImage(server, 'a', 'new');
  const old = seedImage(server, 'a', 'old', tagged ? { tag: '1' } : {});
  server.onRequest = ({ method, path }) => (method === 'PUT' && path.endsWith('/1') ? onPut() : undefined);
  const destination: Tagged = { kind: 'tagged', registry: server.host, path: 'a', tag: '1' as Tag };
  /** What the journal says once it takes no more. */
  const full: { failure?: Failure } = {};
  const engine = { registry, emit: () => {}, unrecorded: () => full.failure };
  const move = (seen: Digest | null) => moveTag(engine, 'sync:a', destination, image.digest, seen);
  return { server, image, old, move, full };
}

const created: Action = { kind: 'answer', status: 201 };

test('a tag that is moved names the image', async () => {
  const { server, image, old, move } = await moved(() => undefined);
  expect(must(await move(old.digest))).toBe(true);
  expect(server.manifest('a', '1')?.digest).toBe(image.digest);
});

test('one whose move cannot be recorded stays where it is', async () => {
  const { server, old, move, full } = await moved(() => undefined);
  full.failure = configFailure('the disk is full', 'free some space');
  expect(failureOf(await move(old.digest))).toMatchObject({
    message: `${server.host}/a:1 was not moved, for that could not be recorded: the disk is full`,
    hint: 'free some space',
    standing: { tag: `${server.host}/a:1`, digest: old.digest },
  });
  expect(server.log.filter(({ method }) => method === 'PUT')).toEqual([]);
});

test.each([true, false])('one that its registry only says it moved is not moved', async (tagged) => {
  const { old, move } = await moved(() => created, tagged);
  expect(failureOf(await move(tagged ? old.digest : null))).toMatchObject({
    reason: 'registry',
    class: 'transient',
    side: 'destination',
    message: expect.stringContaining(tagged ? 'was moved, but it still names' : 'but it names nothing') as unknown,
  });
});

test('one that somebody else moves at the same moment is not ours', async () => {
  const { server, old, move } = await moved(() => {
    seedImage(server, 'a', 'theirs', { tag: '1' });
    return created;
  });
  expect(failureOf(await move(old.digest))).toMatchObject({
    reason: 'trust',
    class: 'permanent',
    standing: { tag: `${server.host}/a:1`, digest: server.manifest('a', '1')?.digest },
  });
});

test('one that its registry refuses to move was seen to stay where it is', async () => {
  const { server, old, move } = await moved(() => ({ kind: 'answer', status: 403 }));
  expect(failureOf(await move(old.digest))).toMatchObject({
    status: 403,
    standing: { tag: `${server.host}/a:1`, digest: old.digest },
  });
});

test('one that moved though the answer was lost is moved, also where no tag moves twice', async () => {
  let puts = 0;
  const { old, move, image, server } = await moved(
    () => {
      puts += 1;
      return puts === 1
        ? { kind: 'lost' }
        : { kind: 'answer', status: 409, body: '{"errors":[{"code":"TAG_INVALID"}]}' };
    },
    true,
    1,
  );
  expect(must(await move(old.digest))).toBe(true);
  expect([puts, server.manifest('a', '1')?.digest]).toEqual([2, image.digest]);
});
