import { expect, test } from 'vitest';
import { parsePrefix } from './hosts.ts';

test.each([
  ['docker.io', 'docker.io'],
  ['docker.io/', 'docker.io'],
  ['docker.io/library', 'docker.io/library'],
  ['ghcr.io/example/', 'ghcr.io/example'],
  ['localhost:5000/a/b', 'localhost:5000/a/b'],
])('%s is a prefix', (text, prefix) => {
  expect(parsePrefix(text)).toEqual({ ok: true, value: prefix });
});

test.each([
  ['https://docker.io', '"https:" is not a registry host'],
  ['ghcr.io//a', '"ghcr.io//a" is not the beginning of a repository name'],
  ['ghcr.io/../a', '"ghcr.io/../a" is not the beginning of a repository name'],
  ['', '"" is not a registry host'],
])('"%s" is none, and an example is given', (text, message) => {
  expect(parsePrefix(text)).toMatchObject({
    ok: false,
    failure: { message, hint: expect.stringContaining('for example') },
  });
});
