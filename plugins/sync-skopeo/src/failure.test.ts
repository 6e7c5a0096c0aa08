import type { Digest, Pinned, ToolFailure } from '@slipway/core';
import { describe, expect, it } from 'vitest';
import { explain } from './failure.ts';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const source: Pinned = { kind: 'pinned', registry: 'docker.io', path: 'library/alpine', digest };
const destination: Pinned = { kind: 'pinned', registry: 'ghcr.io', path: 'team/alpine', digest };
const ran = (message: string): ToolFailure => ({
  reason: 'tool',
  class: 'permanent',
  tool: 'skopeo',
  exitCode: 1,
  message: 'skopeo failed',
  output: `time="2026-01-01T00:00:00Z" level=warning msg="slow"\ntime="2026-01-01T00:00:00Z" level=fatal msg=${JSON.stringify(message)}\n`,
});

describe('what skopeo says when it fails', () => {
  it.each([
    [
      `initializing source docker://alpine@${digest}: reading manifest ${digest} in docker.io/library/alpine: manifest unknown: no`,
      { side: 'source', status: 404, code: 'MANIFEST_UNKNOWN', class: 'permanent', host: 'docker.io' },
    ],
    [
      `initializing source docker://alpine@${digest}: reading manifest ${digest} in docker.io/library/alpine: unauthorized: authentication required`,
      { side: 'source', status: 401, class: 'permanent' },
    ],
    [
      `copying image 1/2 from manifest list: trying to reuse blob ${digest} at destination: pinging container registry ghcr.io: invalid status code from registry 403 (Forbidden)`,
      { side: 'destination', status: 403, class: 'permanent', host: 'ghcr.io' },
    ],
    [
      'writing blob: initiating layer upload to /v2/team/alpine/blobs/uploads/ in ghcr.io: denied: no',
      { side: 'destination', status: 403, code: 'DENIED', class: 'permanent' },
    ],
    [
      `writing manifest: uploading manifest ${digest} to ghcr.io/team/alpine: received unexpected HTTP status: 503 Service Unavailable`,
      { side: 'destination', status: 503, class: 'transient' },
    ],
    [
      `initializing source docker://alpine@${digest}: pinging container registry docker.io: Get "https://docker.io/v2/": dial tcp 127.0.0.1:1: connect: connection refused`,
      { side: 'source', class: 'transient' },
    ],
    [`reading config blob ${digest}: unexpected EOF`, { side: 'source', class: 'transient' }],
    [
      `trying to reuse blob ${digest} at destination: pinging container registry ghcr.io: too many requests to registry`,
      { side: 'destination', status: 429, class: 'transient' },
    ],
  ])('%s', (message, expected) => {
    const failure = explain(ran(message), source, destination, '1.9.3');
    expect(failure).toMatchObject({ reason: 'registry', ...expected });
    expect(failure.hint).toBeTruthy();
  });

  it('that it has no certificate', () => {
    const said = `trying to reuse blob ${digest} at destination: pinging container registry ghcr.io: Get "https://ghcr.io/v2/": remote error: tls: certificate required`;
    const failure = explain(ran(said), source, destination, '1.9.3');
    expect(failure).toMatchObject({ reason: 'registry', side: 'destination', class: 'permanent', host: 'ghcr.io' });
    expect(failure.hint).toContain('let sync-registry copy');
  });

  it.each([
    'Manifest list must be converted to type "application/vnd.oci.image.index.v1+json" to be written to destination, but we cannot modify it: "Instructed to preserve digests"',
    'copying image 1/2 from manifest list: Unexpectedly received a manifest list instead of a manifest for a single image',
  ])('names its version, and who can do it: %s', (message) => {
    const failure = explain(ran(message), source, destination, '1.9.3');
    expect(failure).toMatchObject({ reason: 'tool', class: 'permanent' });
    expect(failure.message).toContain('skopeo 1.9.3 cannot copy');
    expect(failure.hint).toContain('use: { image.copy: sync-crane }');
  });

  it("stays the tool's when no registry can be blamed", () => {
    const failure = ran('something else');
    expect(explain(failure, source, destination, '1.9.3')).toBe(failure);
    const silent: ToolFailure = { ...failure, output: '' };
    expect(explain(silent, source, destination, '1.9.3')).toBe(silent);
  });
});
