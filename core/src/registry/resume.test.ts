/** Transfers that break off and go on, as the registry keeps or forgets them. */
import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../oci/digest.ts';
import type { Descriptor } from '../oci/model.ts';
import { startScriptedRegistry, type Action, type ScriptedRequest } from '../testing/scripted-registry.ts';
import { client, failureOf, must, repository } from './test-client.ts';
import type { UploadRecords } from './upload-records.ts';

const MIB = 1024 * 1024;
const BYTES = randomBytes(20 * MIB);
const BLOB: Descriptor = { mediaType: 'a/b', digest: sha256(BYTES), size: BYTES.byteLength };

/** In the pieces that sockets give. */
function pieces(bytes: Uint8Array = BYTES) {
  let read = 0;
  return {
    bytes: () => read,
    open: async () => {
      async function* chunks(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.byteLength; at += 64 * 1024) {
          const chunk = bytes.subarray(at, at + 64 * 1024);
          read += chunk.byteLength;
          yield chunk;
        }
      }
      return { ok: true, value: chunks() } as const;
    },
  };
}

type Line = (request: ScriptedRequest) => string;
const line: Line = ({ method, headers }) => {
  const range = headers['content-range'] ?? headers.range;
  return range === undefined ? method : `${method} ${range}`;
};

/** The n-th request of a method is answered so. */
function nth(method: string, actions: readonly (Action | undefined)[]) {
  let seen = 0;
  return (request: ScriptedRequest): Action | undefined => {
    if (request.method !== method) return undefined;
    seen += 1;
    return actions[seen - 1];
  };
}

function inMemory(): UploadRecords & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>();
  return {
    kept,
    async take(_, { digest }) {
      const url = kept.get(digest);
      kept.delete(digest);
      return url;
    },
    put: async (_, { digest }, url) => void kept.set(digest, url),
    remove: async (_, { digest }) => void kept.delete(digest),
  };
}

describe('a download that breaks off', () => {
  async function read(onRequest: (request: ScriptedRequest) => Action | undefined, ranges = true) {
    const server = await startScriptedRegistry({ ranges, onRequest });
    server.putBlob('a', BYTES);
    const registry = client();
    const read = await registry.readBlob(repository(server.host, 'a'), BLOB, 'source', BLOB.size);
    await registry[Symbol.asyncDispose]();
    await server.close();
    return { read, lines: server.log.map(line) };
  }

  test('goes on where it stopped, as often as it gets further', async () => {
    const cut = { kind: 'truncate' } as const;
    const { read: got, lines } = await read(nth('GET', [cut, cut, cut, cut]));
    expect(sha256(must(got))).toBe(BLOB.digest);
    // Each time half of what was left came.
    expect(lines[0]).toBe('GET');
    expect(lines[1]).toMatch(/^GET bytes=\d+-$/);
    expect(lines).toHaveLength(5);
  });

  test('reads again from the start and leaves out what it has, where a server knows no ranges', async () => {
    const { read: got, lines } = await read(nth('GET', [{ kind: 'truncate' }]), false);
    expect(sha256(must(got))).toBe(BLOB.digest);
    expect(lines).toHaveLength(2);
  });

  test('is wrong if the rest is that of something else', async () => {
    const { read: got } = await read(nth('GET', [{ kind: 'truncate' }, { kind: 'lie' }]));
    expect(failureOf(got)).toMatchObject({ class: 'permanent', message: expect.stringContaining('wrong bytes') });
  });

  test.each(['bytes 0-1/2', `bytes 0-${BLOB.size - 1}/${BLOB.size}`, 'nonsense'])(
    'is not continued by another part than was asked for: %s',
    async (range) => {
      const headers = { 'content-range': range };
      const { read: got } = await read(nth('GET', [{ kind: 'truncate' }, { kind: 'with', headers }]));
      expect(failureOf(got).message).toContain('another part');
    },
  );

  test('ends as a failure of the source when it gets nowhere', async () => {
    const { read: got } = await read(() => ({ kind: 'truncate' }));
    expect(failureOf(got)).toMatchObject({ class: 'transient', side: 'source' });
  });
});

describe('an upload that breaks off', () => {
  async function send(
    onRequest: (request: ScriptedRequest) => Action | undefined,
    { retries = 3, source = pieces() } = {},
  ) {
    const server = await startScriptedRegistry({ onRequest });
    const registry = client({ retries });
    const sent = await registry.content(repository(server.host, 'a'), 'destination').putBlob(BLOB, source.open);
    const stored = server.blob('a', BLOB.digest);
    await registry[Symbol.asyncDispose]();
    await server.close();
    return { sent, stored, lines: server.log.map(line), log: server.log };
  }
  const last = BLOB.size - 1;

  test('sends what the registry lacks, to the address that it gives for it', async () => {
    const { sent, stored, lines, log } = await send(nth('PUT', [{ kind: 'cut', after: 5 * MIB }]));
    must(sent);
    expect(isWhole(stored)).toBe(true);
    const [, , , patch] = lines;
    const start = Number(/^PATCH (\d+)-/.exec(patch ?? '')?.[1]);
    expect(start).toBeGreaterThanOrEqual(5 * MIB);
    expect(lines).toEqual(['POST', 'PUT', 'GET', `PATCH ${start}-${last}`, 'PUT']);
    expect(log[3]?.headers['content-length']).toBe(String(BLOB.size - start));
    expect(log[4]?.headers['content-length']).toBe('0');
  });

  test('goes on as often as it gets further, also without many tries', async () => {
    const cuts = nth(
      'PATCH',
      Array.from({ length: 4 }, () => ({ kind: 'cut', after: 2 * MIB })),
    );
    const first = nth('PUT', [{ kind: 'cut', after: 2 * MIB }]);
    const { sent, stored, lines } = await send((request) => first(request) ?? cuts(request), { retries: 1 });
    must(sent);
    expect(isWhole(stored)).toBe(true);
    expect(lines.filter((each) => each.startsWith('PATCH'))).toHaveLength(5);
    expect(lines.filter((each) => each === 'POST')).toHaveLength(1);
  });

  test('begins anew where the registry has forgotten it', async () => {
    const forgets = nth('GET', [{ kind: 'answer', status: 404 }]);
    const cut = nth('PUT', [{ kind: 'cut', after: 5 * MIB }]);
    const { sent, stored, lines } = await send((request) => forgets(request) ?? cut(request));
    must(sent);
    expect(isWhole(stored)).toBe(true);
    expect(lines).toEqual(['POST', 'PUT', 'GET', 'HEAD', 'POST', 'PUT']);
  });

  test('is done if only the answer was lost', async () => {
    const source = pieces();
    const { sent, lines } = await send(nth('PUT', [{ kind: 'lost' }]), { source });
    must(sent);
    expect(lines).toEqual(['POST', 'PUT', 'GET', 'HEAD']);
    expect(source.bytes()).toBe(BLOB.size);
  });

  test('asks again for the offset when the registry has another one', async () => {
    const cut = nth('PUT', [{ kind: 'cut', after: 5 * MIB }]);
    const no = nth('PATCH', [{ kind: 'answer', status: 416 }]);
    const { sent, stored, lines } = await send((request) => cut(request) ?? no(request));
    must(sent);
    expect(isWhole(stored)).toBe(true);
    expect(lines.map((each) => each.split(' ')[0])).toEqual(['POST', 'PUT', 'GET', 'PATCH', 'GET', 'PATCH', 'PUT']);
  });

  test('begins anew when what the registry kept is of no use', async () => {
    const cut = nth('PUT', [
      { kind: 'cut', after: 5 * MIB },
      { kind: 'answer', status: 400 },
    ]);
    const { sent, stored, lines } = await send(cut);
    must(sent);
    expect(isWhole(stored)).toBe(true);
    expect(lines.filter((each) => each === 'POST')).toHaveLength(2);
  });

  test('is cancelled when it will not be finished', async () => {
    const { sent, lines } = await send(nth('PUT', [{ kind: 'answer', status: 400 }]));
    expect(failureOf(sent)).toMatchObject({ class: 'permanent', side: 'destination' });
    expect(lines).toEqual(['POST', 'PUT', 'DELETE']);
  });

  test('is cancelled when its source turns out wrong', async () => {
    const source = await startScriptedRegistry({ onRequest: () => ({ kind: 'lie' }) });
    source.putBlob('a', BYTES);
    const server = await startScriptedRegistry();
    await using registry = client();
    const from = registry.content(repository(source.host, 'a'), 'source');
    const to = registry.content(repository(server.host, 'a'), 'destination');
    const sent = await to.putBlob(BLOB, () => from.blob(BLOB));
    expect(failureOf(sent)).toMatchObject({ side: 'source', class: 'permanent' });
    expect(server.log.at(-1)?.method).toBe('DELETE');
    expect(server.stored('a').blobs).toEqual([]);
    await Promise.all([source.close(), server.close()]);
  });
});

describe('an upload that an earlier run has left', () => {
  async function pair() {
    const source = await startScriptedRegistry();
    source.putBlob('a', BYTES);
    const server = await startScriptedRegistry();
    onTestFinished(async () => void (await Promise.all([source.close(), server.close()])));
    return { source, server };
  }

  test('is finished: only the rest is sent', async () => {
    const { source, server } = await pair();
    const uploads = inMemory();
    server.onRequest = (request) =>
      request.method === 'PUT'
        ? { kind: 'cut', after: 5 * MIB }
        : request.method === 'GET'
          ? { kind: 'reset' }
          : undefined;
    {
      await using killed = client({ uploads, retries: 0 });
      const to = killed.content(repository(server.host, 'b'), 'destination');
      const from = killed.content(repository(source.host, 'a'), 'source');
      failureOf(await present(to.takeBlob?.(BLOB, from, () => from.blob(BLOB), { likely: false })));
    }
    expect([...uploads.kept.values()]).toEqual([expect.stringContaining('/blobs/uploads/')]);
    server.onRequest = undefined;
    const before = server.log.length;
    await using next = client({ uploads });
    const to = next.content(repository(server.host, 'b'), 'destination');
    const from = next.content(repository(source.host, 'a'), 'source');
    expect(must(await present(to.takeBlob?.(BLOB, from, () => from.blob(BLOB), { likely: false })))).toEqual({
      how: 'sent',
      mine: true,
    });
    const later = server.log.slice(before);
    const patch = later.find(({ method }) => method === 'PATCH');
    expect(Number(patch?.headers['content-length'])).toBeLessThanOrEqual(BLOB.size - 5 * MIB);
    // Asked, opened in vain, that one cancelled, the old one looked at and finished.
    expect(later.map(({ method }) => method)).toEqual(['POST', 'HEAD', 'DELETE', 'GET', 'PATCH', 'PUT']);
    expect(isWhole(server.blob('b', BLOB.digest))).toBe(true);
    expect(uploads.kept.size).toBe(0);
  });

  test('is left alone where its address is none that we may speak to', async () => {
    const { source, server } = await pair();
    const uploads = inMemory();
    uploads.kept.set(BLOB.digest, 'http://192.0.2.1/upload');
    await using registry = client({ uploads });
    const to = registry.content(repository(server.host, 'b'), 'destination');
    const from = registry.content(repository(source.host, 'a'), 'source');
    must(await present(to.takeBlob?.(BLOB, from, () => from.blob(BLOB), { likely: false })));
    expect(server.log.map(({ method }) => method)).toEqual(['POST', 'HEAD', 'PUT']);
  });
});

function isWhole(stored: Uint8Array | undefined): boolean {
  return stored !== undefined && BYTES.equals(stored);
}

/** Of a method that this content has. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('this content takes blobs');
  return value;
}
