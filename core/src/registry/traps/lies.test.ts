/** A registry that lies, or repeats what it should keep to itself. The numbers are those of the table beside this file. */
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Descriptor } from '../../oci/model.ts';
import { startScriptedRegistry, type Action } from '../../testing/scripted-registry.ts';
import { startRaw } from '../../testing/servers.ts';
import type { Login } from '../credentials.ts';
import { client, failureOf, logins, must, reference, repository } from '../test-client.ts';
import { COPIED, is, pair, type Hook } from './pair.ts';

const LIMIT = { timeout: 10_000 };
const SECRET = 'canary-secret';
const ANN: Login = { kind: 'password', username: 'ann', secret: SECRET };
const credentials = { ...logins(), login: async () => ({ ok: true, value: ANN }) as const };

const said = (message: string): Action => ({
  kind: 'answer',
  status: 400,
  body: JSON.stringify({ errors: [{ code: 'UNSUPPORTED', message }] }),
});
/** What stood in the header, as some proxies write it into their answers. */
const echo = ({ headers }: Parameters<Hook>[0]): Action => {
  const value = headers.authorization?.split(' ')[1] ?? '';
  return said(`you sent ${value}, which is ${Buffer.from(value, 'base64').toString()}!`);
};

describe('36: an answer that repeats what is secret in its request', LIMIT, () => {
  test.each([
    ['a password', { basic: { username: 'ann', password: SECRET } }],
    ['a token', { tokens: { users: { ann: SECRET }, anonymous: false } }],
  ])('is told without it: %s', async (_, destination) => {
    const { sync } = await pair({
      destination,
      client: { credentials },
      onDestination: (request) =>
        request.method === 'PUT' && request.headers.authorization !== undefined ? echo(request) : undefined,
    });
    const { message } = failureOf(await sync());
    expect(message).toContain('400 UNSUPPORTED: you sent ***, which is ');
    expect(message).not.toMatch(/canary|token-\d|YW5u/);
  });

  test('of a server for tokens', async () => {
    const { sync } = await pair({
      destination: { tokens: { users: { ann: SECRET }, anonymous: false } },
      client: { credentials },
      onDestination: (request) => (request.path === '/token' ? echo(request) : undefined),
    });
    expect(failureOf(await sync()).message).not.toMatch(/canary|YW5u/);
  });

  test('of an upload, whose address is a key to it', async () => {
    const { sync } = await pair({
      onDestination: (request) => {
        if (is.uploadBegin(request)) return { kind: 'relocate', to: (location) => `${location}&key=only-we-know` };
        return is.uploadPart(request) ? said(`there is no ${new URLSearchParams(request.url).get('key')}`) : undefined;
      },
    });
    const { message } = failureOf(await sync());
    expect(message).toContain('refused to store the blob');
    expect(message).toContain('there is no ***');
  });

  test.each([200, 404])('in a warning beside a %i is shown without it', async (status) => {
    const shown: string[] = [];
    const grant = JSON.stringify({ token: 'a-token-of-many-letters' });
    await using server = await startScriptedRegistry({
      onRequest: ({ headers, path }) => {
        const sent = headers.authorization ?? '';
        const text = Buffer.from(sent.split(' ')[1] ?? '', 'base64')
          .toString('latin1')
          .replaceAll(/[^!-~]/g, '?');
        const warning = `299 - "you sent ${sent}, that is ${text}"`;
        if (path === '/token') return { kind: 'answer', status: 200, headers: { warning }, body: grant };
        const challenge = `Bearer realm="http://${server.host}/token"`;
        return sent === ''
          ? { kind: 'answer', status: 401, headers: { 'www-authenticate': challenge } }
          : { kind: 'answer', status, headers: { warning } };
      },
    });
    await using registry = client({ credentials, notice: (message) => shown.push(message) });
    await registry.manifest(reference(`${server.host}/a:1`), 'source');
    expect(shown).toEqual([expect.stringContaining('says: you sent Bearer ***')]);
    expect(shown.join('\n')).not.toMatch(/canary|YW5u|a-token/);
  });

  test('in a warning, of a password', async () => {
    const shown: string[] = [];
    await using server = await startScriptedRegistry({
      basic: { username: 'ann', password: SECRET },
      onRequest: ({ headers: { authorization: sent = '' } }) =>
        sent === ''
          ? undefined
          : {
              kind: 'answer',
              status: 404,
              headers: {
                warning: `299 - "${sent} ${encodeURIComponent(Buffer.from(sent.slice(6), 'base64').toString())}"`,
              },
            },
    });
    await using registry = client({ credentials, notice: (message) => shown.push(message) });
    must(await registry.manifest(reference(`${server.host}/a:1`), 'source'));
    expect(shown).toEqual([`${server.host} says: Basic *** ***`]);
  });

  test('is still understood', async () => {
    await using server = await startScriptedRegistry({
      basic: { username: 'ann', password: SECRET },
      onRequest: ({ headers }) => ({
        kind: 'answer',
        status: 400,
        body: JSON.stringify({ errors: [{ code: 'MANIFEST_UNKNOWN', message: `for "${headers.authorization}"` }] }),
      }),
    });
    await using registry = client({ credentials });
    expect(must(await registry.manifest(reference(`${server.host}/a:1`), 'source'))).toBeUndefined();
  });
});

describe('37: success that is none', LIMIT, () => {
  const all = (answer: Action, when: Hook | ((request: Parameters<Hook>[0]) => boolean)): Hook => {
    return (request) => (when(request) ? answer : undefined);
  };
  const created: Action = { kind: 'answer', status: 201 };
  const wrong = { 'docker-content-digest': `sha256:${'0'.repeat(64)}` };

  test.each<[string, RegExp]>([
    ['manifests', /is not valid JSON$/],
    ['blobs', /: it has 19 bytes, and not \d+$/],
  ])('a web page in place of %s is one failure that says so, and is not asked for again', async (kind, message) => {
    const page: Action = {
      kind: 'answer',
      status: 200,
      headers: { 'content-type': 'text/html; charset=utf-8' },
      body: '<html>Log in</html>',
    };
    const { source, sync } = await pair({ onSource: all(page, ({ path }) => path.includes(`/${kind}/`)) });
    const failure = failureOf(await sync());
    expect(failure).toMatchObject({ class: 'permanent', side: 'source' });
    expect(failure.message).toMatch(message);
    expect(failure.hint).toContain('a web page came in its place');
    const asked = source.log.map(({ method, url }) => `${method} ${url}`);
    expect(new Set(asked).size).toBe(asked.length);
  });

  test('a mount of what is not there: the manifest is refused, and the bytes are sent', async () => {
    const { sync } = await pair({ destination: { sparse: false }, onDestination: all(created, is.mount) });
    expect(await sync()).toMatchObject(COPIED);
  });

  test.each<[string, Hook]>([
    [
      'manifests that are there already, as it says',
      ({ method, path }) => {
        const digest = path.split('/').at(-1) ?? '';
        const headers = { 'docker-content-digest': digest, 'content-type': 'a/b', 'content-length': '2' };
        return method === 'HEAD' ? { kind: 'answer', status: 200, headers } : undefined;
      },
    ],
    ['an upload that has no address', all({ kind: 'answer', status: 202 }, is.uploadBegin)],
    ...['file:///etc/passwd', 'http://169.254.169.254/latest', 'http://['].map((location): [string, Hook] => [
      `an upload to ${location}`,
      all({ kind: 'answer', status: 202, headers: { location } }, is.uploadBegin),
    ]),
  ])('%s', async (_, onDestination) => {
    const { sync } = await pair({ destination: { sparse: false }, onDestination });
    expect(failureOf(await sync())).toMatchObject({ class: 'permanent', side: 'destination' });
  });

  test('blobs that are taken and not kept may only not be seen yet', async () => {
    const { sync } = await pair({ destination: { sparse: false }, onDestination: all(created, is.uploadPart) });
    expect(failureOf(await sync())).toMatchObject({
      class: 'transient',
      side: 'destination',
      code: 'MANIFEST_BLOB_UNKNOWN',
    });
  });

  test.each([
    ['blobs', is.uploadPart],
    ['manifests', is.put],
  ])('%s that are kept as something else', async (_, of) => {
    const { sync } = await pair({
      destination: { sparse: false },
      onDestination: all({ kind: 'with', headers: wrong }, of),
    });
    const failure = failureOf(await sync());
    expect(failure).toMatchObject({ class: 'permanent', side: 'destination' });
    expect(failure.message).toMatch(/ says that it stored sha256:0+ for the .*, where sha256:[0-9a-f]{64} was sent$/);
  });

  test.each([
    ['a web page in place of a blob', { kind: 'answer', status: 200, body: '<p>log in</p>'.repeat(100_000) } as const],
    ['a part in place of a blob', { kind: 'answer', status: 206, body: 'x' } as const],
  ])('%s', async (_, answer) => {
    const { sync } = await pair({ onSource: (request) => (is.blobRead(request) ? answer : undefined) });
    expect(failureOf(await sync())).toMatchObject({ class: 'permanent', side: 'source' });
  });

  test.each([0, 1, 100, Number.MAX_SAFE_INTEGER])(
    'a blob of two bytes of which is said that it has %i',
    async (size) => {
      const { sync } = await pair({
        seed: (source) => {
          const config = { mediaType: 'a/b', digest: source.putBlob('from', '{}'), size };
          return source.putManifest('from', { schemaVersion: 2, config, layers: [] }, 'v1');
        },
      });
      const failure = failureOf(await sync());
      expect(failure).toMatchObject({ class: 'permanent', side: 'source' });
      expect(failure.message).toContain('sent wrong bytes');
    },
  );

  /** Says that it has an upload as soon as it begins. */
  async function early(has: boolean) {
    const source = await startScriptedRegistry();
    const size = 5_000_000;
    const descriptor: Descriptor = { mediaType: 'a/b', digest: source.putBlob('a', 'z'.repeat(size)), size };
    source.onRequest = (request) => (is.blobRead(request) ? { kind: 'lie' } : undefined);
    let put = false;
    const server = await startRaw((socket) =>
      socket.on('data', (bytes) => {
        const [method = ''] = bytes.toString('latin1').split(' ', 1);
        if (method === 'POST') socket.write('HTTP/1.1 202 A\r\nlocation: /up\r\ncontent-length: 0\r\n\r\n');
        else if (method === 'HEAD') {
          socket.write(`HTTP/1.1 ${put && has ? 200 : 404} B\r\ncontent-length: 0\r\n\r\n`);
        } else if (method === 'DELETE') socket.write('HTTP/1.1 204 D\r\n\r\n');
        else if (method === 'PUT') {
          put = true;
          socket.write('HTTP/1.1 201 C\r\ncontent-length: 0\r\n\r\n');
        }
      }),
    );
    const registry = client();
    onTestFinished(async () => {
      await registry.close();
      await source.close();
      await server[Symbol.asyncDispose]();
    });
    const from = registry.content(repository(source.host, 'a'), 'source');
    const to = registry.content(repository(`127.0.0.1:${server.port}`, 'a'), 'destination');
    return to.putBlob(descriptor, () => from.blob(descriptor));
  }

  test('a blob that is there before all of it was sent, which only the whole could prove', async () => {
    expect(failureOf(await early(false))).toMatchObject({
      class: 'permanent',
      side: 'destination',
      message: expect.stringContaining('before all of it was sent') as unknown,
    });
  });

  test('is one where it was there from the beginning', async () => {
    expect(await early(true)).toMatchObject({ ok: true });
  });
});
