import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Digest } from '../../reference.ts';
import type { Scan } from '../model.ts';
import { canonicalJson } from '../statement.ts';
import { copyPredicate, isFrom, readCopy, type Copy } from './copy.ts';
import { provenancePredicate, readProvenance, type Provenance } from './provenance.ts';
import { indexSbom, readSbom } from './sbom.ts';
import { readScan, scanPredicate } from './scan.ts';
import { readSignature, signaturePredicate } from './signature.ts';

const digest = (byte: string): Digest => `sha256:${byte.repeat(32)}` as Digest;
/** Through JSON, as a predicate travels. */
const sent = (value: unknown): unknown => JSON.parse(canonicalJson(value));
/** The value with what `path` leads to replaced. */
function changed(value: unknown, [key, ...rest]: readonly string[], to: unknown): unknown {
  if (key === undefined) return to;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[key] = changed(copy[key], rest, to);
  return copy;
}

const scan: Scan = {
  scanner: { name: 'trivy', version: '0.74.0', uri: 'pkg:golang/github.com/aquasecurity/trivy' },
  database: '2026-11-01T00:00:00Z',
  startedAt: '2026-11-23T10:00:00Z',
  finishedAt: '2026-11-23T10:00:05Z',
  platforms: [
    {
      digest: digest('a1'),
      platform: 'linux/amd64',
      status: 'scanned',
      os: 'alpine 3.20',
      endOfLife: true,
      packages: 14,
      findings: [
        {
          id: 'CVE-1',
          severity: 'HIGH',
          package: 'busybox',
          installed: '1',
          fixed: '2',
          title: 't',
          platforms: ['linux/amd64'],
          layer: 'l',
          purl: 'pkg:apk/x',
        },
        { id: 'CVE-2', severity: 'LOW', package: 'musl', installed: '1', platforms: ['linux/amd64'] },
      ],
    },
    { digest: digest('b2'), platform: 'windows/amd64', status: 'unscanned', why: 'no OS', packages: 0, findings: [] },
  ],
};

const copy: Copy = {
  source: 'docker.io/library/alpine:3.20',
  sourceDigest: digest('c3'),
  platforms: ['linux/amd64'],
  targets: ['ghcr.io/a/alpine:3.20'],
  previous: { 'ghcr.io/a/alpine:3.20': digest('d4'), 'ghcr.io/a/alpine:latest': null },
  time: '2026-11-23T10:00:00Z',
};

const provenance: Provenance = {
  mode: 'melange+apko',
  source: 'images/git/image.yaml',
  options: { melangeConfigs: ['a.yaml'] },
  platforms: ['linux/amd64', 'linux/arm64'],
  keys: { input: 'aa', resolved: 'bb', parts: { 'file images/git/image.yaml': 'cc' } },
  targets: ['ghcr.io/a/git:1'],
  previous: { 'ghcr.io/a/git:1': null },
  materials: [
    { uri: 'pkg:apk/alpine/busybox@1', digest: { sha256: 'aa' }, name: 'busybox' },
    { uri: 'https://x.example/y' },
  ],
  builder: { id: 'https://slipway.example/local', version: { apko: '1.2.37' } },
  invocationId: 'run-1',
  startedOn: '2026-11-23T10:00:00Z',
  finishedOn: '2026-11-23T10:00:05.123Z',
};

describe('what is written can be read back', () => {
  test('scan', () => expect(readScan(sent(scanPredicate(scan)))).toEqual(scan));
  test('copy', () => expect(readCopy(sent(copyPredicate(copy)))).toEqual(copy));
  test('provenance', () => expect(readProvenance(sent(provenancePredicate(provenance)))).toEqual(provenance));
  test('signature', () => expect(readSignature(sent(signaturePredicate()))).toEqual({}));

  test('the scan has the fields of the cosign specification', () => {
    expect(scanPredicate(scan)).toMatchObject({
      scanner: { uri: scan.scanner.uri, version: '0.74.0', db: { version: scan.database } },
      metadata: { scanStartedOn: scan.startedAt, scanFinishedOn: scan.finishedAt },
    });
  });

  test('a title that is a whole advisory is cut', () => {
    const long = changed(scan, ['platforms', '0', 'findings', '0', 'title'], 'x'.repeat(10_000)) as Scan;
    expect(
      readScan(
        sent(
          scanPredicate({
            ...long,
            platforms: Object.values(long.platforms).map((one) => ({ ...one, findings: Object.values(one.findings) })),
          }),
        ),
      )?.platforms[0]?.findings[0]?.title,
    ).toHaveLength(300);
  });
});

describe('what is not exactly so is not read', () => {
  const text = 'x'.repeat(5000);
  const scanned = sent(scanPredicate(scan));
  test.each([
    [['scanner', 'result', 'finishedAt'], 'yesterday'],
    [['scanner', 'result', 'scanner', 'name'], text],
    [['scanner', 'result', 'database'], null],
    [['scanner', 'result', 'platforms'], {}],
    [['scanner', 'result', 'platforms'], [{ ...scan.platforms[0], status: 'clean' }]],
    [['scanner', 'result', 'platforms'], [{ ...scan.platforms[0], digest: 'sha256:x' }]],
    [['scanner', 'result', 'platforms'], [{ ...scan.platforms[0], endOfLife: false }]],
    [['scanner', 'result', 'platforms'], [{ ...scan.platforms[0], endOfLife: 'yes' }]],
    [
      ['scanner', 'result', 'platforms'],
      [{ ...scan.platforms[0], findings: [{ ...scan.platforms[0]?.findings[0], severity: 'NONE' }] }],
    ],
    [['scanner', 'result', 'platforms'], Array.from({ length: 300 }, () => scan.platforms[1])],
  ])('scan with another %j', (path, to) => expect(readScan(changed(scanned, path, to))).toBeUndefined());

  const copied = sent(copyPredicate(copy));
  test.each([
    [['source', 'digest'], 'sha256:1'],
    [['targets'], 'ghcr.io/a/b:1'],
    [['previous'], { a: 'b' }],
    [['copiedOn'], 1],
  ])('copy with another %j', (path, to) => expect(readCopy(changed(copied, path, to))).toBeUndefined());

  const built = sent(provenancePredicate(provenance));
  test.each([
    [['buildDefinition', 'buildType'], 'https://other.example/build'],
    [['buildDefinition', 'internalParameters', 'slipway', 'keys', 'input'], 1],
    [['buildDefinition', 'internalParameters', 'slipway', 'keys', 'resolved'], 1],
    [['buildDefinition', 'resolvedDependencies'], [{ name: 'x' }]],
    [['runDetails', 'metadata', 'finishedOn'], ''],
    [['runDetails', 'builder', 'version'], ['apko']],
  ])('provenance with another %j', (path, to) => expect(readProvenance(changed(built, path, to))).toBeUndefined());

  test('garbage never throws', () => {
    fc.assert(
      fc.property(fc.anything(), (garbage) => {
        for (const read of [readScan, readCopy, readProvenance, readSbom]) expect(read(garbage)).toBeUndefined();
      }),
    );
  });
});

describe('the SBOM of an index', () => {
  const children = [
    { digest: digest('b2'), platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
    { digest: digest('a1'), platform: { os: 'linux', architecture: 'amd64' } },
  ];
  const index = { subject: digest('ff'), children, name: 'ghcr.io/a/b', created: '2026-11-23T10:00:00Z' };

  test('lists every child by its digest', () => {
    expect(readSbom(sent(indexSbom(index)))).toEqual({
      name: 'ghcr.io/a/b',
      packages: 0,
      children: [digest('a1'), digest('b2')],
      created: '2026-11-23T10:00:00Z',
    });
  });

  test('is the same whatever the order of the children', () => {
    expect(canonicalJson(indexSbom({ ...index, children: children.toReversed() }))).toBe(
      canonicalJson(indexSbom(index)),
    );
  });

  test('has each SPDX id once, also when an index lists a manifest twice', () => {
    const twice = indexSbom({
      ...index,
      children: [...children, { digest: digest('a1'), platform: { os: 'linux', architecture: '386' } }],
    });
    const ids = (twice['packages'] as { SPDXID: string }[]).map((item) => item.SPDXID);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(3);
  });
});

describe('a copy attestation with who signed the source', () => {
  const copied: Copy = {
    source: 'docker.io/library/alpine:3.20',
    sourceDigest: digest('a1'),
    verified: { signer: 'team@u.example', issuer: 'https://i.example', signedAt: '2026-11-23T10:00:00Z' },
    targets: ['r.example/a:1'],
    previous: { 'r.example/a:1': null },
    time: '2026-11-24T10:00:00Z',
  };
  const predicate = sent(copyPredicate(copied));

  test('is read as it was written, and one of before, without it, too', () => {
    const { verified: _, ...before } = copied;
    expect(readCopy(predicate)).toEqual(copied);
    expect(readCopy(sent(copyPredicate(before)))).toEqual(before);
    const byKey = { ...copied, verified: { signer: 'ab' } };
    expect(readCopy(sent(copyPredicate(byKey)))).toEqual(byKey);
  });

  test.each([
    ['signer', 1],
    ['issuer', {}],
    ['signedAt', 'yesterday'],
  ])('is refused with a wrong %s', (key, value) => {
    expect(readCopy(changed(predicate, ['verified', key], value))).toBeUndefined();
  });

  test('is of a source only when its digest and the platforms are the same', () => {
    const part = { ...copied, platforms: ['linux/amd64'] };
    expect(isFrom(copied, { sourceDigest: digest('a1') })).toBe(true);
    expect(isFrom(copied, { sourceDigest: digest('b2') })).toBe(false);
    expect(isFrom(part, { sourceDigest: digest('a1') })).toBe(false);
    expect(isFrom(part, { sourceDigest: digest('a1'), platforms: ['linux/amd64'] })).toBe(true);
    expect(isFrom(copied, { sourceDigest: digest('a1'), platforms: ['linux/amd64'] })).toBe(false);
    const lenient = { ...part, missingPlatforms: 'skip' as const };
    expect(readCopy(sent(copyPredicate(lenient)))).toEqual(lenient);
    expect(isFrom(lenient, { sourceDigest: digest('a1'), platforms: ['linux/amd64'] })).toBe(false);
    expect(isFrom(lenient, { ...lenient, sourceDigest: digest('a1') })).toBe(true);
  });
});
