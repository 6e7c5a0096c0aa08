import { expect, test } from 'vitest';
import { formatPlatform } from '../oci/model.ts';
import { parsePlatform } from './platforms.ts';

test.each([
  ['linux/amd64', 'linux/amd64'],
  ['x86_64', 'linux/amd64'],
  ['linux/x86_64', 'linux/amd64'],
  ['aarch64', 'linux/arm64'],
  ['arm64', 'linux/arm64'],
  ['linux/arm64/v8', 'linux/arm64'],
  ['armv7', 'linux/arm/v7'],
  ['linux/arm/v6', 'linux/arm/v6'],
  ['armhf', 'linux/arm/v6'],
  ['x86', 'linux/386'],
  ['linux/s390x', 'linux/s390x'],
  ['windows/amd64', 'windows/amd64'],
])('%s is %s', (text, platform) => {
  const result = parsePlatform(text);
  expect(result.ok && formatPlatform(result.value)).toBe(platform);
});

test.each([
  '',
  'linux',
  'linux/',
  'constructor',
  '__proto__',
  'linux/amd64/v8/x',
  '--platform',
  'LINUX/AMD64',
  'linux/amd',
])('%j is none', (text) => {
  expect(parsePlatform(text).ok).toBe(false);
});
