import { generateKeyPairSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { givenKey } from './key.ts';

it.each(['pkcs1', 'pkcs8'] as const)(
  'a key in the form %s is handed on in the one that melange reads',
  async (type) => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const KEY = privateKey.export({ type, format: 'pem' }).toString();
    const given = await givenKey('env://KEY', '/', { KEY });
    expect(given).toMatchObject({
      ok: true,
      value: { privateKey: privateKey.export({ type: 'pkcs1', format: 'pem' }) },
    });
  },
);
