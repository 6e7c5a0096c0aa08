import type { Digest, Pinned, ToolFailure } from '@slipway/core';
import { describe, expect, it } from 'vitest';
import { explain } from './failure.ts';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const source: Pinned = { kind: 'pinned', registry: 'docker.io', path: 'library/alpine', digest };
const destination: Pinned = { kind: 'pinned', registry: 'ghcr.io', path: 'team/alpine', digest };
const ran = (output: string): ToolFailure => ({
  reason: 'tool',
  class: 'permanent',
  tool: 'crane',
  exitCode: 1,
  message: 'crane failed',
  output,
});

describe('what crane says when it fails', () => {
  it.each([
    [
      `Error: fetching "docker.io/library/alpine@${digest}": GET https://index.docker.io/v2/library/alpine/manifests/${digest}: MANIFEST_UNKNOWN: manifest unknown`,
      { side: 'source', status: 404, code: 'MANIFEST_UNKNOWN', class: 'permanent', host: 'docker.io' },
    ],
    [
      'Error: GET https://auth.docker.io/token?scope=repository%3Alibrary%2Falpine%3Apull&service=registry.docker.io: unexpected status code 401 Unauthorized: {}',
      { side: 'source', status: 401, class: 'permanent' },
    ],
    [
      'Error: HEAD https://ghcr.io/v2/team/alpine/manifests/sha256:aa: unexpected status code 403 Forbidden (HEAD responses have no body)',
      { side: 'destination', status: 403, class: 'permanent', host: 'ghcr.io' },
    ],
    [
      'Error: Get "https://ghcr.io/v2/": dial tcp 127.0.0.1:1: connect: connection refused; Get "http://ghcr.io/v2/": dial tcp: connection refused',
      { side: 'destination', class: 'transient' },
    ],
    [
      'Error: PATCH https://ghcr.io/v2/team/alpine/blobs/uploads/1: unexpected status code 503 Service Unavailable: x',
      { side: 'destination', status: 503, class: 'transient' },
    ],
    [
      `Error: fetching "x": GET https://index.docker.io/v2/: TOOMANYREQUESTS: slow down`,
      { side: 'source', status: 429, class: 'transient' },
    ],
    [
      'Error: Patch "https://ghcr.io/v2/team/alpine/blobs/uploads/1": readfrom tcp 10.0.0.1:5->10.0.0.2:443: error verifying sha256 checksum after reading 9 bytes; got "a", want "b"',
      { side: 'source', class: 'permanent', host: 'docker.io' },
    ],
    [
      `Error: fetching "docker.io/library/alpine@${digest}": manifest digest: "sha256:b" does not match requested digest: "${digest}" for "x"`,
      { side: 'source', class: 'permanent', host: 'docker.io' },
    ],
    [
      'Error: Patch "https://ghcr.io/v2/team/alpine/blobs/uploads/1": readfrom tcp 10.0.0.1:5->10.0.0.2:443: unexpected EOF',
      { side: 'source', class: 'transient', host: 'docker.io' },
    ],
  ])('%s', (output, expected) => {
    const failure = explain(ran(`2026/01/01 00:00:00 Copying from a to b\n${output}\n`), source, destination);
    expect(failure).toMatchObject({ reason: 'registry', ...expected });
    expect(failure.hint).toBeTruthy();
  });

  it.each(['certificate required', 'bad certificate', 'handshake failure'])(
    'that it has no certificate: %s',
    (said) => {
      const output = `Error: Get "https://ghcr.io/v2/": remote error: tls: ${said}\n`;
      const failure = explain(ran(output), source, destination);
      expect(failure).toMatchObject({ reason: 'registry', side: 'destination', class: 'permanent', host: 'ghcr.io' });
      expect(failure.hint).toContain('let sync-registry copy');
    },
  );

  it("stays the tool's when no registry can be blamed", () => {
    const failure = ran('Error: something else\n');
    expect(explain(failure, source, destination)).toBe(failure);
    expect(explain(ran(''), source, destination)).toMatchObject({ reason: 'tool' });
  });
});
