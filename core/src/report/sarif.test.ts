/** SARIF of scans: valid, within GitHub's limits, one category an image and platform, the same names for the same image. */
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../reference.ts';
import type { Finding, PlatformScan, Scan } from '../trust/model.ts';
import { SARIF_NAME, sarifFiles, scanSarif, type ScannedImage } from './sarif.ts';

const require = createRequire(import.meta.url);
const digest = `sha256:${'a'.repeat(64)}` as Digest;
const at = { file: '/checkout/my config.yaml', line: 4, column: 5 };

const finding = (id: string, more: Partial<Finding> = {}): Finding => ({
  id,
  severity: 'HIGH',
  package: 'openssl',
  installed: '3.0.0',
  platforms: ['linux/amd64'],
  ...more,
});

function runs(
  findings: readonly Finding[],
  more: Partial<PlatformScan> = {},
  destination = 'ghcr.io/example/a:1',
  limits?: { readonly runs: number; readonly results: number; readonly compressed: number },
  waivers: ScannedImage['waivers'] = [],
) {
  const platform: PlatformScan = { digest, platform: 'linux/amd64', status: 'scanned', packages: 3, findings, ...more };
  const scan: Scan = {
    scanner: { name: 'trivy', version: '0.60.0', uri: 'https://trivy.example' },
    startedAt: '2026-01-01T00:00:00Z',
    finishedAt: '2026-01-01T00:00:01Z',
    platforms: [
      platform,
      { ...platform, platform: 'linux/arm64', findings: [] },
      { ...platform, platform: 'windows/amd64', status: 'unscanned' },
    ],
  };
  return scanSarif({ destination, digest, scan, waivers, at }, '/checkout', limits);
}

interface Run {
  readonly automationDetails: { readonly id: string };
  readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } };
  readonly results: readonly {
    readonly ruleId: string;
    readonly ruleIndex: number;
    readonly level: string;
    readonly partialFingerprints: Readonly<Record<string, string>>;
  }[];
}
const read = ({ text }: { readonly text: string }): Run => JSON.parse(text) as Run;
const runsOf = ({ text }: { readonly text: string }): readonly Run[] =>
  (JSON.parse(text) as { readonly runs: readonly Run[] }).runs;

describe('SARIF of scans', () => {
  const schema = require('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json') as Record<string, unknown>;
  const ajv = new Ajv({ strict: false, validateFormats: false, validateSchema: false, unicodeRegExp: false });
  const validate = ajv.compile(
    Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== 'id')),
  );

  it('is valid, a run for each platform that was read', () => {
    const made = sarifFiles(
      runs([
        finding('CVE-1', { title: 'a\u001b[31m title', fixed: '3.0.1' }),
        finding('CVE-2', { severity: 'UNKNOWN' }),
      ]),
    );
    expect(made).toHaveLength(1);
    for (const file of made) expect(validate(JSON.parse(file.text)), JSON.stringify(validate.errors)).toBe(true);
    expect(made.flatMap(runsOf).map((run) => run.automationDetails.id)).toEqual([
      'slipway-scan/ghcr.io/example/a:1/linux/amd64/',
      'slipway-scan/ghcr.io/example/a:1/linux/arm64/',
    ]);
    expect(validate({ ...(JSON.parse(made[0]?.text ?? '') as object), runs: [{}] })).toBe(false);
    expect(made[0]?.text).not.toContain('\\u001b');
    expect(made[0]?.text).not.toContain('end-of-life');
    expect(JSON.parse(made[0]?.text ?? '')).toMatchObject({
      runs: [
        {
          results: [
            {
              level: 'error',
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: 'my%20config.yaml' },
                    region: { startLine: 4, startColumn: 5 },
                  },
                },
              ],
            },
            { level: 'note' },
          ],
        },
        { results: [] },
      ],
    });
  });

  it('marks what a waiver covers as suppressed, and then says of all whether it is', () => {
    const waived = { id: 'CVE-1', reason: 'not reachable', expires: '2027-01-31' };
    const made = sarifFiles(runs([finding('CVE-1'), finding('CVE-2')], {}, undefined, undefined, [waived]));
    expect(validate(JSON.parse(made[0]?.text ?? '')), JSON.stringify(validate.errors)).toBe(true);
    const justification = 'not reachable (until 2027-01-31)';
    expect(JSON.parse(made[0]?.text ?? '')).toMatchObject({
      runs: [
        {
          results: [{ suppressions: [{ kind: 'external', status: 'accepted', justification }] }, { suppressions: [] }],
        },
        { results: [] },
      ],
    });
    expect(sarifFiles(runs([finding('CVE-1')]))[0]?.text).not.toContain('suppressions');
  });

  it('has a result of its own where the operating system is at its end of life', () => {
    const ended = { os: 'alpine 3.16', endOfLife: true } as const;
    const covered = [{ id: 'CVE-1', reason: 'none', expires: '2027-01-31' }];
    const made = runs([finding('CVE-1')], ended, undefined, undefined, covered);
    const [file] = sarifFiles(made);
    expect(validate(JSON.parse(file?.text ?? '')), JSON.stringify(validate.errors)).toBe(true);
    const [first, ...others] = made.map(read);
    expect(first?.results[1]).toMatchObject({
      ruleId: 'slipway/end-of-life',
      ruleIndex: 1,
      level: 'warning',
      message: {
        text: 'alpine 3.16 is at its end of life: it gets no advisories any more, so that new vulnerabilities in it are not found; ghcr.io/example/a:1 for linux/amd64',
      },
      suppressions: [],
    });
    expect(first?.tool.driver.rules[1]?.id).toBe('slipway/end-of-life');
    expect(others.map(({ results }) => results.map(({ ruleId }) => ruleId))).toEqual([['slipway/end-of-life']]);
    const older = runs([], { ...ended, os: 'alpine 3.16.1' }).map(read);
    expect(older[0]?.results[0]?.partialFingerprints).toEqual(first?.results[1]?.partialFingerprints);
    const limits = { runs: 20, results: 2, compressed: 10_000_000 };
    const [least] = runs([finding('CVE-1'), finding('CVE-2')], ended, undefined, limits);
    expect(least?.left).toBe(1);
  });

  it('makes no link of what a title, a package or a version says', () => {
    const link = '[the fix](https://evil.example)';
    const found = finding('CVE-1', { title: link, package: link, installed: link, fixed: link });
    const [run] = runs([found]);
    expect(run?.text).toContain('[the fix] (https://evil.example)');
    expect(run?.text).not.toContain('](');
  });

  it('names a rule by its place, and a finding the same when its package moved', () => {
    const [run] = runs([
      finding('CVE-2'),
      finding('CVE-1', { severity: 'CRITICAL' }),
      finding('CVE-2', { package: 'curl' }),
    ]).map(read);
    expect(run?.results.map(({ ruleId }) => ruleId)).toEqual(['CVE-1', 'CVE-2', 'CVE-2']);
    for (const { ruleId, ruleIndex } of run?.results ?? []) expect(run?.tool.driver.rules[ruleIndex]?.id).toBe(ruleId);
    const prints = (one: Run | undefined) =>
      one?.results.map((each) => each.partialFingerprints['primaryLocationLineHash']);
    expect(new Set(prints(run)).size).toBe(3);
    const [after] = runs([finding('CVE-1', { severity: 'CRITICAL', installed: '3.0.9' })]).map(read);
    expect(prints(after)).toEqual(prints(run)?.slice(0, 1));
  });

  it('keeps the 5,000 worst, and counts the rest', () => {
    const many = Array.from({ length: 6_000 }, (_, index) =>
      finding(`CVE-${index}`, { severity: index === 5_999 ? 'CRITICAL' : 'LOW' }),
    );
    const [made] = runs(many);
    const results = made === undefined ? [] : read(made).results;
    expect(results).toHaveLength(5_000);
    expect(results[0]?.ruleId).toBe('CVE-5999');
    expect(made?.left).toBe(1_000);
  });

  it('leaves out more where it would be too large compressed', () => {
    const noise = (seed: number): string => createHash('sha512').update(String(seed)).digest('base64').repeat(3);
    const many = Array.from({ length: 400 }, (_, index) => finding(`CVE-${index}`, { title: noise(index) }));
    const limits = { runs: 20, results: 5_000, compressed: 20_000 };
    const made = runs(many, {}, undefined, limits);
    const [run] = made;
    expect(gzipSync(sarifFiles(made.slice(0, 1), limits)[0]?.text ?? '').length).toBeLessThanOrEqual(20_000);
    expect(run?.left).toBeGreaterThan(100);
    expect(run?.left).toBeLessThan(400);
  });

  it('puts up to twenty runs into a file, each with a category of its own, and no more than a code host takes', () => {
    const made = Array.from({ length: 25 }, (_, index) => runs([finding('CVE-1')], {}, `ghcr.io/a/${index}:1`)).flat();
    const files = sarifFiles(made);
    expect(files.map((file) => runsOf(file).length)).toEqual([20, 20, 10]);
    expect(files.map(({ name }) => name)).toEqual([1, 2, 3].map((number) => `slipway-scan-${number}.sarif`));
    for (const { name } of files) expect(name).toMatch(SARIF_NAME);
    const categories = files.flatMap(runsOf).map(({ automationDetails }) => automationDetails.id);
    expect(new Set(categories).size).toBe(50);
    const compressed = (made[0]?.compressed ?? 0) * 4 + 300;
    const small = sarifFiles(made, { runs: 20, results: 5_000, compressed });
    expect(small.length).toBeGreaterThan(8);
    for (const { text } of small) expect(gzipSync(text).length).toBeLessThanOrEqual(compressed);
    expect(sarifFiles([])).toEqual([]);
  });
});
