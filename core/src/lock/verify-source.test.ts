import { expect, test } from 'vitest';
import { fail, ok } from '../failure.ts';
import { sha256 } from '../oci/digest.ts';
import { pin, type Pinned } from '../reference.ts';
import { repository } from '../registry/test-client.ts';
import type { Engine } from '../run/engine.ts';
import { verifyWith } from './verify-source.ts';

const ACCEPT = { kind: 'key', publicKey: 'PEM', fingerprint: 'ab'.repeat(32) } as const;

test('signatures of what is locked are looked for where a run looks for them: at the mirrors, then at the origin', async () => {
  const asked: string[] = [];
  const engine = {
    settings: { mirrors: [{ source: 'hub.example', mirror: 'mirror.example', trusted: true }] },
    context: async () => ({ [Symbol.asyncDispose]: async () => {} }),
    host: {
      call: async (_: string, { image }: { readonly image: Pinned }) => {
        asked.push(image.registry);
        if (image.path === 'signed' && image.registry === 'mirror.example') return ok({ signer: ACCEPT.fingerprint });
        return fail({ reason: 'trust', class: 'permanent', message: `nothing at ${image.registry}` });
      },
    },
  } as unknown as Engine;
  const verify = verifyWith(engine, new AbortController().signal);
  const look = (path: string) => verify(pin(repository('hub.example', path), sha256(path)), { accept: [ACCEPT] });
  expect(await look('signed')).toEqual(ok(ACCEPT.fingerprint));
  expect(asked).toEqual(['mirror.example']);
  expect(await look('unsigned')).toMatchObject({ ok: false, failure: { reason: 'trust' } });
  expect(asked).toEqual(['mirror.example', 'mirror.example', 'hub.example']);
});
