import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { Ajv } from 'ajv';
import type { Config, Entry } from '../config/model.ts';
import type { CheckSettings, Settings } from '../config/settings-model.ts';
import type { Planned } from '../plan/create.ts';
import { parseReference, type Reference, type Tagged } from '../reference.ts';
import type { CheckFinding } from './model.ts';
import { ruleIds } from './model.ts';
import { rules, runChecks } from './run.ts';
import { sarifLog } from './sarif.ts';
import { formatFindings } from './table.ts';

const require = createRequire(import.meta.url);
const FOLDER = '/home/me/images';
const PIN = `sha256:${'a'.repeat(64)}`;
const NONE: CheckSettings = { rules: {}, waivers: [] };

function reference(text: string): Reference {
  const parsed = parseReference(text);
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return parsed.value;
}

function common(kind: 'sync' | 'build', destination: string, line: number) {
  return {
    id: `${kind}:${destination}`,
    at: { file: `${FOLDER}/config.yaml`, line, column: 5 },
    targets: [{ destination: reference(destination) as Tagged, templated: false }] as const,
    always: false,
  };
}

function sync(source: string, destination = 'ghcr.io/example/alpine:3.20', line = 2): Entry {
  return { ...common('sync', destination, line), kind: 'sync', source: reference(source) };
}

function build(destination = 'ghcr.io/example/app:1', line = 9): Entry {
  const rest = { melangeConfigs: [], dockerOptions: {}, buildOnMainOnly: false, options: {} };
  return { ...common('build', destination, line), kind: 'build', source: 'images/app/Dockerfile', ...rest };
}

interface Asked {
  readonly check?: CheckSettings;
  readonly document?: string;
  readonly bases?: readonly string[];
  readonly today?: string;
  readonly locked?: readonly string[];
}

function check(entries: readonly Entry[], asked: Asked = {}): Promise<readonly CheckFinding[]> {
  const bases = (asked.bases ?? []).map((text) => ({ text, reference: reference(text) }));
  const inputs = { files: [], packageIndexes: [], bases, platforms: [], packages: [], options: {} };
  // Only what the rules read: a whole plan says nothing more here.
  const planned = {
    plan: { entries: entries.map(({ id }) => ({ id, trust: 'full' })), tasks: [] },
    entries: new Map(entries.map((entry) => [entry.id, entry])),
    inputs: new Map(entries.filter(({ kind }) => kind === 'build').map(({ id }) => [id, inputs])),
    origins: new Map(),
    packages: new Map(),
  } as unknown as Planned;
  const config: Config = { file: `${FOLDER}/config.yaml`, folder: FOLDER, entries, selections: [] };
  const settings = { check: asked.check ?? NONE } as Settings;
  return runChecks({
    config,
    settings,
    planned,
    locked: new Set(asked.locked),
    document: asked.document,
    today: asked.today ?? '2026-11-23',
  });
}

async function broken(entries: readonly Entry[], asked: Asked = {}): Promise<readonly string[]> {
  return (await check(entries, asked)).map(({ rule, message }) => `${rule}: ${message}`);
}

describe('source-pinned', () => {
  it('wants a digest, in the config or in the lock', async () => {
    expect(await broken([sync(`docker.io/library/alpine:3.20@${PIN}`)])).toEqual([]);
    expect(await broken([sync('docker.io/library/alpine:3.20')])).toEqual([
      'source-pinned: docker.io/library/alpine:3.20 has no digest',
    ]);
    expect(await broken([sync(`docker.io/library/alpine@${PIN}`)])).toEqual([]);
    const entry = sync('docker.io/library/alpine:3.20');
    expect(await broken([entry], { locked: [entry.id] })).toEqual([]);
    expect(await check([entry])).toMatchObject([{ hint: expect.stringContaining('slipway update') }]);
  });

  it('leaves the tags of images that are built here alone: the graph knows their digest', async () => {
    expect(await broken([build(), sync('ghcr.io/example/app:1', 'ghcr.io/example/app:stable')])).toEqual([]);
    expect(await broken([build(), sync('ghcr.io/example/app:2', 'ghcr.io/example/app:stable')])).toHaveLength(1);
  });
});

describe('source-trusted', () => {
  const trusting = (...trustedRegistries: readonly string[]): CheckSettings => ({ ...NONE, trustedRegistries });
  const source = sync(`docker.io/library/alpine:3.20@${PIN}`);

  it('takes what is below a trusted prefix, and nothing that only begins alike', async () => {
    expect(await broken([source], { check: trusting('docker.io') })).toEqual([]);
    expect(await broken([source], { check: trusting('docker.io/library') })).toEqual([]);
    expect(await broken([source], { check: trusting('docker.io/lib', 'quay.io') })).toEqual([
      `source-trusted: docker.io/library/alpine:3.20@${PIN} does not come from a trusted registry`,
    ]);
    expect(await broken([source])).toEqual([]);
  });

  it('looks at base images too', async () => {
    const bases = [`quay.io/a/b:1@${PIN}`];
    expect(await broken([build()], { check: trusting('docker.io'), bases })).toHaveLength(1);
    expect(await broken([build()], { check: trusting('quay.io'), bases })).toEqual([]);
  });
});

describe('base-pinned', () => {
  it('wants a digest, except of what is published here', async () => {
    expect(await broken([build()], { bases: ['docker.io/library/golang:1.26'] })).toEqual([
      'base-pinned: the base image docker.io/library/golang:1.26 has no digest',
    ]);
    expect(await broken([build()], { bases: [`docker.io/library/golang:1.26@${PIN}`] })).toEqual([]);
    const base = sync(`docker.io/library/golang:1.26@${PIN}`, 'ghcr.io/example/golang:1.26');
    expect(await broken([base, build()], { bases: ['ghcr.io/example/golang:1.26'] })).toEqual([]);
  });
});

describe('destination-documented', () => {
  const source = sync(`docker.io/library/alpine:3.20@${PIN}`);
  const settings = { ...NONE, documentedIn: 'README.md' };

  it.each([
    '`ghcr.io/example/alpine:3.20`',
    'See ghcr.io/example/alpine.',
    '(ghcr.io/example/alpine)',
    'ghcr.io/example/alpine',
  ])('finds the repository in %j', async (document) =>
    expect(await broken([source], { check: settings, document })).toEqual([]),
  );

  it.each([
    'ghcr.io/example/alpine-tools',
    'ghcr.io/example/alpine/git',
    'my-ghcr.io/example/alpine',
    'ghcr.io/example/alpine.old',
    '',
  ])('does not take %j for it', async (document) => {
    expect(await broken([source], { check: settings, document })).toEqual([
      'destination-documented: ghcr.io/example/alpine is not named in README.md',
    ]);
  });

  it('says that the file is not there, and asks nothing without one', async () => {
    expect(await broken([source], { check: settings })).toEqual([expect.stringContaining('README.md is not there')]);
    expect(await broken([source])).toEqual([]);
  });
});

describe('severities and waivers', () => {
  const source = sync('docker.io/library/alpine:3.20');

  it('takes the severity of the settings, and leaves out what is off', async () => {
    expect(await check([source])).toMatchObject([{ severity: 'error', at: { line: 2, column: 5 } }]);
    expect(await check([source], { check: { ...NONE, rules: { 'source-pinned': 'warning' } } })).toMatchObject([
      { severity: 'warning' },
    ]);
    expect(await check([source], { check: { ...NONE, rules: { 'source-pinned': 'off' } } })).toEqual([]);
  });

  it.each([
    ['2026-11-23', undefined, true],
    ['2026-11-22', undefined, false],
    ['2027-01-01', 'sync:ghcr.io/example/*', true],
    ['2027-01-01', 'ghcr.io/other/*', false],
  ] as const)('a waiver until %s for %s covers it: %s', async (expires, match, covers) => {
    const waiver = {
      rule: 'source-pinned',
      reason: 'moves with us',
      expires,
      ...(match === undefined ? {} : { match }),
    };
    const [finding] = await check([source], { check: { ...NONE, waivers: [waiver] } });
    expect(finding?.waived).toBe(covers ? 'moves with us' : undefined);
  });

  it('covers no other rule', async () => {
    const waiver = { rule: 'base-pinned', reason: 'other', expires: '2027-01-01' };
    expect((await check([source], { check: { ...NONE, waivers: [waiver] } }))[0]?.waived).toBeUndefined();
  });
});

it('has one rule for every id', () => {
  expect(rules.map(({ id }) => id).toSorted()).toEqual(ruleIds.toSorted());
});

describe('SARIF', () => {
  const schema = require('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json') as Record<string, unknown>;
  const ajv = new Ajv({ strict: false, validateFormats: false, validateSchema: false, unicodeRegExp: false });
  const validate = ajv.compile(
    Object.fromEntries(Object.entries(schema).filter(([key]) => key !== '$schema' && key !== 'id')),
  );

  it('is valid with and without findings, and says what is suppressed', async () => {
    const waiver = {
      rule: 'source-pinned',
      match: 'ghcr.io/example/b:1',
      reason: 'moves with us',
      expires: '2027-01-01',
    };
    const findings = await check(
      [sync('docker.io/library/a:1'), sync('docker.io/library/b:1', 'ghcr.io/example/b:1', 4)],
      {
        check: { ...NONE, waivers: [waiver] },
      },
    );
    for (const some of [findings, []]) {
      const log = sarifLog(some, FOLDER, '1.2.3');
      expect(validate(log), JSON.stringify(validate.errors)).toBe(true);
    }
    expect(sarifLog(findings, FOLDER, '1.2.3')).toMatchObject({
      runs: [
        {
          results: [
            {
              ruleId: 'source-pinned',
              level: 'error',
              suppressions: [],
              locations: [
                {
                  physicalLocation: {
                    artifactLocation: { uri: 'config.yaml' },
                    region: { startLine: 2, startColumn: 5 },
                  },
                },
              ],
            },
            { suppressions: [{ justification: 'moves with us' }] },
          ],
        },
      ],
    });
    expect(validate({ ...sarifLog(findings, FOLDER, '1'), runs: [{}] })).toBe(false);
  });

  it('makes no link, and nothing unseen, of what an image says of itself', async () => {
    const [finding] = await check([sync('docker.io/library/a:1')]);
    if (finding === undefined) throw new Error('one is found');
    const message = 'linux/amd64 runs as [root](https://elsewhere.example)\u202e\n';
    const log = sarifLog([{ ...finding, message, waived: '[so](https://elsewhere.example)' }], FOLDER, '1') as {
      runs: [{ results: [{ message: { text: string }; suppressions: [{ justification: string }] }] }];
    };
    const [result] = log.runs[0].results;
    expect(result.message.text).toContain('runs as [root] (https://elsewhere.example)� ');
    expect(result.suppressions[0].justification).toBe('[so] (https://elsewhere.example)');
  });

  it('names a rule by its place in the list', async () => {
    const [finding] = await check([sync('docker.io/library/a:1')]);
    const log = sarifLog(finding === undefined ? [] : [finding], FOLDER, '1') as {
      runs: [{ tool: { driver: { rules: { id: string }[] } }; results: [{ ruleIndex: number; ruleId: string }] }];
    };
    const [{ tool, results }] = log.runs;
    expect(tool.driver.rules[results[0].ruleIndex]?.id).toBe(results[0].ruleId);
  });
});

it('tells people the place, the rule and what mends it, and counts', async () => {
  const findings = await check([sync('docker.io/library/a:1')]);
  const text = formatFindings(findings, FOLDER, { offline: true });
  expect(text).toContain(
    'error    config.yaml:2:5  source-pinned  sync:ghcr.io/example/alpine:3.20: docker.io/library/a:1 has no digest',
  );
  expect(text).toContain('1 error, 0 warnings, 0 waived; rules that ask a registry were left out');
});
