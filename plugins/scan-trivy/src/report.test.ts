import type { Child, Digest } from '@slipway/core';
import { describe, expect, it } from 'vitest';
import { createdOf, platformScan } from './report.ts';

const digest = `sha256:${'a'.repeat(64)}` as Digest;
const child: Child = { digest, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } };
const vulnerability = {
  VulnerabilityID: 'CVE-1',
  PkgName: 'musl',
  InstalledVersion: '1',
  FixedVersion: '2',
  Severity: 'HIGH',
  Title: 'bad',
};

function report(
  changes: Readonly<Record<string, unknown>> = {},
  vulnerabilities: readonly unknown[] = [vulnerability],
): unknown {
  return {
    Metadata: { RepoDigests: [`registry.example/a@${digest}`], OS: { Family: 'alpine', Name: '3.20.3' } },
    Results: [{ Packages: [{ Name: 'musl' }], Vulnerabilities: vulnerabilities }],
    ...changes,
  };
}

describe('a report of trivy', () => {
  it('becomes a scan of its platform', () => {
    expect(platformScan(report(), child)).toEqual({
      digest,
      platform: 'linux/arm/v7',
      status: 'scanned',
      os: 'alpine 3.20.3',
      packages: 1,
      findings: [
        {
          id: 'CVE-1',
          severity: 'HIGH',
          package: 'musl',
          installed: '1',
          fixed: '2',
          title: 'bad',
          platforms: ['linux/arm/v7'],
        },
      ],
    });
  });

  it.each([
    ['nothing', undefined],
    ['no object', []],
    ['another image', report({ Metadata: { RepoDigests: [`registry.example/a@sha256:${'b'.repeat(64)}`] } })],
    ['no digest', report({ Metadata: {} })],
    ['no results', report({ Results: undefined })],
    ['results without packages', report({ Results: [{ Class: 'os-pkgs' }] })],
  ])('is unscanned when it has %s', (_, data) => {
    expect(platformScan(data, child)).toMatchObject({
      status: 'unscanned',
      packages: 0,
      findings: [],
      why: expect.any(String),
    });
  });

  it('says that nobody publishes advisories any more, also where it lists no packages', () => {
    const of = (EOSL: unknown, packages: readonly unknown[] = [{ Name: 'musl' }]) =>
      platformScan(
        report({
          Metadata: { RepoDigests: [`r.example/a@${digest}`], OS: { Family: 'alpine', Name: '3.16.1', EOSL } },
          Results: [{ Packages: packages }],
        }),
        child,
      );
    expect(of(true)).toMatchObject({ status: 'scanned', os: 'alpine 3.16.1', endOfLife: true });
    expect(of(true, [])).toMatchObject({ status: 'unscanned', endOfLife: true });
    for (const other of [false, undefined, 'yes']) expect(of(other)).not.toHaveProperty('endOfLife');
  });

  it('counts packages without an operating system as scanned', () => {
    const { os, ...scan } = platformScan(
      report({ Metadata: { RepoDigests: [`registry.example/a@${digest}`], OS: { Family: 'none' } } }),
      child,
    );
    expect(scan.status).toBe('scanned');
    expect(os).toBeUndefined();
  });

  it('takes an unknown severity for UNKNOWN, an empty fix for none, and the same finding once', () => {
    const odd = { ...vulnerability, Severity: 'TERRIBLE', FixedVersion: '' };
    const { findings } = platformScan(
      report({}, [odd, odd, { ...odd, PkgName: 'busybox' }, { PkgName: 'nameless' }]),
      child,
    );
    expect(findings.map((finding) => [finding.package, finding.severity, finding.fixed])).toEqual([
      ['busybox', 'UNKNOWN', undefined],
      ['musl', 'UNKNOWN', undefined],
    ]);
  });

  it('gives the time of the image as it is written', () => {
    const made = (created: unknown): unknown => ({ Metadata: { ImageConfig: { created } } });
    expect(createdOf(made('2026-01-02T03:04:05.678901234Z'))).toBe('2026-01-02T03:04:05.678901234Z');
    expect(createdOf(made(7))).toBeUndefined();
    expect(createdOf({})).toBeUndefined();
  });
});
