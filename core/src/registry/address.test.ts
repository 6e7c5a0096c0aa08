import { describe, expect, test } from 'vitest';
import { createReach, inNetworksOf, isLoopback, isPrivate } from './address.ts';

test('what is loopback is known by its name or address', () => {
  expect(['127.0.0.1', '127.1.2.3', 'localhost', 'localhost.', 'a.localhost', '[::1]'].every(isLoopback)).toBe(true);
  expect(['127.0.0.1.example', 'localhost.example', '10.0.0.1', '1127.0.0.1'].some(isLoopback)).toBe(false);
});

describe('private addresses, also in other clothes', () => {
  test.each([
    '127.0.0.1',
    '10.1.2.3',
    '172.31.0.1',
    '192.168.1.1',
    '169.254.169.254',
    '100.64.0.1',
    '0.0.0.0',
    '224.0.0.1',
    '[::1]',
    '[::]',
    '[fd00::1]',
    '[fe80::1]',
    '[::ffff:10.0.0.1]',
    '[::ffff:a9fe:a9fe]',
    '[::127.0.0.1]',
    '[::ffff:0:7f00:1]',
    '[64:ff9b::7f00:1]',
    '[2002:7f00:1::]',
    '[fec0::1]',
    'localhost',
  ])('%s is private', (host) => {
    expect(isPrivate(host)).toBe(true);
  });
});

test.each([
  '8.8.8.8',
  '172.32.0.1',
  '100.128.0.1',
  '[2606:4700::1]',
  '[::ffff:8.8.8.8]',
  'registry.example',
  '10.example',
])('%s is not', (host) => {
  expect(isPrivate(host)).toBe(false);
});

describe('where a server may send us', () => {
  const reach = createReach({
    plainHttp: (host) => host === 'plain.example:80' || host.startsWith('127.'),
    named: (host) => host === '10.0.0.9:443' || host === '10.0.0.9:5000',
  });
  test.each([
    ['https://a.example', 'https://cdn.example/x', true],
    ['https://a.example', 'http://cdn.example/x', false],
    ['https://a.example', 'http://plain.example/x', false],
    ['http://plain.example', 'http://plain.example/y', true],
    ['http://127.0.0.1:5000', 'http://plain.example/y', true],
    ['http://127.0.0.1:5000', 'http://plain.example:81/y', false],
    ['http://plain.example', 'http://127.0.0.1:80/y', false],
    ['http://plain.example', 'http://cdn.example/y', false],
    ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/y', true],
    ['https://a.example', 'https://169.254.169.254/latest', false],
    ['https://a.example', 'https://[::ffff:169.254.169.254]/latest', false],
    ['https://a.example', 'https://0x7f.1/x', false],
    ['https://a.example', 'https://2130706433/x', false],
    ['https://a.example', 'https://localhost/x', false],
    ['https://a.example', 'https://10.0.0.9/x', true],
    ['https://a.example', 'https://10.0.0.9:443/x', true],
    ['https://a.example', 'https://10.0.0.9:80/x', false],
    ['https://a.example', 'https://10.0.0.8/x', false],
    ['https://192.168.0.2', 'https://10.0.0.8/x', true],
    ['https://a.example', 'ftp://a.example/x', false],
    ['https://a.example', 'file:///etc/passwd', false],
  ])('%s to %s: %s', (from, to, allowed) => {
    expect(reach(new URL(from), new URL(to))).toBe(allowed);
  });
});

test('networks of NO_PROXY hold for addresses, and what is no network for nothing', () => {
  const isIn = inNetworksOf('.example,10.1.0.0/16 [fd00::]/8\t192.0.2.0/33,fe80::/x,10.9.9.9,*');
  expect(['10.1.2.3', '[fd12::1]'].every(isIn)).toBe(true);
  expect(['10.2.0.1', '192.0.2.1', '10.9.9.9', '[fe80::1]', 'a.example', '10.1.2.3.example'].some(isIn)).toBe(false);
});
