import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLines } from './lines.ts';
import { createLearningRedactor, createRedactor, secretsFromEnv } from './redact.ts';

describe('createRedactor', () => {
  const secret = 'p@ss w/rd+42';
  const redact = createRedactor([secret, 'abc', 'p@ss w/rd+42-longer']);

  it('masks a secret, its base64 and its URL-encoded form', () => {
    const forms = [
      secret,
      Buffer.from(secret).toString('base64'),
      Buffer.from(secret).toString('base64url'),
      encodeURIComponent(secret),
    ];
    for (const form of forms) {
      expect(redact(`before ${form} after`)).toBe('before *** after');
    }
  });

  it('masks the longer of two secrets that begin alike', () => {
    expect(redact('p@ss w/rd+42-longer')).toBe('***');
  });

  it('leaves words shorter than six characters alone', () => {
    expect(redact('abc')).toBe('abc');
  });

  it('masks lines of a key that is printed in part', () => {
    const pem = '-----BEGIN KEY-----\nMHcCAQEEIAAAAAAAAAAAAAAAAAA\nq83vASNFZ4mrze8BI0VniavN7w==\n-----END KEY-----\n';
    const masked = createRedactor([pem])('line: q83vASNFZ4mrze8BI0VniavN7w==');
    expect(masked).toBe('line: ***');
  });

  it('leaves what many keys have in common, and short lines, which may be words', () => {
    const masked = createRedactor(['-----BEGIN KEY-----\nq83vASNFZ4mrze8BI0VniavN7w==\nregistry\n-----END KEY-----\n']);
    expect(masked('-----BEGIN KEY----- of the registry')).toBe('-----BEGIN KEY----- of the registry');
  });

  it.each([
    ['Authorization: Basic dXNlcjpwYXNz', 'Authorization: Basic ***'],
    ['"authorization": "Bearer abc.def"', '"authorization": "Bearer ***"'],
    ['sent Bearer eyJhbGciOiJSUzI1NiJ9.e30.x', 'sent Bearer ***'],
    ['GET https://user:secret@host/v2/', 'GET https://***@host/v2/'],
    ['GET https://user:sec@ret@host/v2/', 'GET https://***@host/v2/'],
    ['cloning https://ghp_0123456789@github.com/a/b', 'cloning https://***@github.com/a/b'],
    [
      'Get "https://s3.example/b?X-Amz-Date=1&X-Amz-Credential=AKIA%2F1&X-Amz-Signature=c0ffee": EOF',
      'Get "https://s3.example/b?X-Amz-Date=1&X-Amz-Credential=***&X-Amz-Signature=***": EOF',
    ],
    ['PUT https://store.example/b?sv=2024&sig=a%2Fb%3D&se=2', 'PUT https://store.example/b?sv=2024&sig=***&se=2'],
  ])('masks what looks like credentials: %s', (text, masked) => {
    expect(redact(text)).toBe(masked);
    expect(redact.values(text)).toBe(text);
  });

  it.each([
    'docker://alpine@sha256:0123 and docker-image://docker.io/library/alpine:3@sha256:0123',
    'https://github.com/example/images/.github/workflows/run.yml@refs/heads/main',
    'https://registry.example/v2/a/tags/list?n=100&last=signature',
  ])('leaves names alone that only look a little like it: %s', (text) => {
    expect(redact(text)).toBe(text);
  });

  it.each([
    ['lines', '\n'],
    ['one line', ''],
  ])('masks a file of as many characters as a variable holds, of %s', (_, between) => {
    const lines = Array.from({ length: 1800 }, (__, index) => `${index}`.padStart(16, '(secret)'));
    const masked = createRedactor([lines.join(between)]);
    expect(masked(`a ${lines.join(between)} b`)).toBe('a *** b');
    if (between !== '') expect(masked(`a ${lines[1700]} b`)).toBe('a *** b');
  });

  it('never lets any secret through, whatever is around it', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 6, maxLength: 40 }), fc.string(), fc.string(), (some, before, after) => {
        const trimmed = some.trim();
        fc.pre(trimmed.length >= 6 && !'***'.includes(trimmed) && !`${before}${after}***`.includes(trimmed));
        expect(createRedactor([some])(`${before}|${some}|${after}`)).not.toContain(trimmed);
      }),
    );
  });
});

describe('createLearningRedactor', () => {
  it('takes out what it is told later too, also for whoever has it already', () => {
    const { redact, learnt } = createLearningRedactor(['first-secret']);
    const text = 'first-secret second-secret';
    expect(redact(text)).toBe('*** second-secret');
    learnt('second-secret');
    expect([redact(text), redact.values(text)]).toEqual(['*** ***', '*** ***']);
  });
});

describe('secretsFromEnv', () => {
  it('takes values by the names of variables', () => {
    const env = {
      GITHUB_TOKEN: 'ghs_123456',
      COSIGN_PASSWORD: 'longpassword',
      AWS_SECRET_ACCESS_KEY: 'aws-secret',
      SIGNING_KEY: 'key-material',
      COSIGN_KEY_PATH: 'not-secret',
      SSH_AUTH_SOCK: 'not-secret',
      KEYBOARD: 'not-secret',
      PWD: '/home/someone',
      API_TOKEN: 'abc',
      PRIVATE_KEY: '/keys/private.pem',
      UNSET_TOKEN: undefined,
    };
    expect(secretsFromEnv(env)).toEqual(['ghs_123456', 'longpassword', 'aws-secret', 'key-material']);
  });

  it('takes what begins with a slash, unless it is where something lies', () => {
    const key = '/K7MDENGbPxRfiCYEXAMPLEKEY+wJalrXUtnFEMI/';
    const npmrc = '//registry.example/:_authToken=npm_0123456789';
    const env = { AWS_SECRET_ACCESS_KEY: key, BUILD_SECRET_0: npmrc, SIGNING_KEY: import.meta.filename };
    expect(secretsFromEnv(env)).toEqual([key, npmrc]);
  });

  it('takes the secret half of an identity, which is called an id', () => {
    expect(secretsFromEnv({ VAULT_SECRET_ID: 'b7c9d1f2-half', AWS_ACCESS_KEY_ID: 'AKIA-half' })).toEqual([
      'b7c9d1f2-half',
    ]);
  });
});

describe('createLines', () => {
  it('shows some MiB of what never ends, and goes on keeping the last of it', () => {
    const shown: string[] = [];
    const lines = createLines(
      (text) => text,
      (line) => shown.push(line),
    );
    const chunk = Buffer.from(`${'x'.repeat(1023)}\n`.repeat(1024));
    for (let mebibytes = 0; mebibytes < 6; mebibytes += 1) lines.push(chunk);
    lines.push(Buffer.from('the end\n'));
    expect(shown).toHaveLength(4 * 1024 + 1);
    expect(shown.at(-1)).toContain('more than 4 MiB');
    expect(lines.end()).toMatch(/the end$/);
  });

  const redact = createRedactor(['canary-secret']);

  it('finds a secret in every way of cutting the text', () => {
    const text = Buffer.from('first\nthe canary-secret é\r\nlast');
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 6 }), (cuts) => {
        const lines = createLines(redact, undefined);
        const places = [0, ...cuts.sort((a, b) => a - b), text.length];
        places.slice(1).forEach((end, index) => lines.push(text.subarray(places[index], end)));
        expect(lines.end()).toBe('first\nthe *** é\nlast');
      }),
    );
  });

  it('shows no part of a secret at the cut of an endless line', () => {
    for (let pad = 16 * 1024 - 20; pad <= 16 * 1024; pad += 1) {
      const lines = createLines(redact, undefined);
      lines.push(Buffer.from(`${'x'.repeat(pad)}canary-secret${'y'.repeat(100)}`));
      expect(lines.end()).not.toContain('can');
    }
  });

  it('takes terminal sequences and control characters out', () => {
    const lines = createLines((text) => text, undefined);
    lines.push(Buffer.from('\u001b[31mred\u001b[0m \u0007bell \u202eright\n'));
    expect(lines.end()).toBe('red bell right');
  });

  it('finds a secret that a terminal sequence or a control character parts', () => {
    const shown: string[] = [];
    const lines = createLines(redact, (line) => shown.push(line));
    lines.push(Buffer.from('a can\u001b[1mary\u001b[0m-secret b\ncanary-\u0000secret\n'));
    expect([lines.end(), ...shown]).toEqual(['a *** b\n***', 'a *** b', '***']);
  });

  it('takes no longer for lines that are made to take long', () => {
    const redact = createRedactor([]);
    const lines = createLines(redact, undefined);
    const began = performance.now();
    for (let count = 0; count < 100; count += 1) lines.push(Buffer.from(`a://${':'.repeat(16_000)}\n`));
    lines.end();
    expect(performance.now() - began).toBeLessThan(3000);
    expect(redact('a://user:with:colons@host')).toBe('a://***@host');
  });
});
