import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { complaints, hints, valueOf } from './fixtures.ts';
import { loadSettings } from './load-settings.ts';
import { matchesIdentity } from '../trust/upstream.ts';
import { settings } from './settings-fixture.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-settings-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const defaults = { date: '2026-11-23', parallelism: 2 };
const load = (file?: string) =>
  loadSettings({ folder, ...defaults, ...(file === undefined ? {} : { file: join(folder, file) }) });
const write = (name: string, text: string) => writeFile(join(folder, name), text);

async function loadYaml(text: string) {
  await write('slipway.config.yaml', text);
  return load();
}

test('without a file, everything has its default', async () => {
  expect(valueOf(await load())).toEqual({
    folder,
    plugins: [],
    use: {},
    main: 'main',
    publish: 'each',
    mirrors: [],
    plainHttp: [],
    registries: [],
    policy: {
      build: {
        verdict: 'refuse',
        severities: ['CRITICAL', 'HIGH'],
        fixable: true,
        unscanned: 'report',
        unscannable: 'refuse',
        endOfLife: 'report',
        notWorse: false,
        waivers: [],
      },
      sync: {
        verdict: 'report',
        severities: ['CRITICAL', 'HIGH'],
        fixable: true,
        unscanned: 'report',
        unscannable: 'report',
        endOfLife: 'report',
        notWorse: false,
        waivers: [],
      },
      overrides: [],
      waivers: [],
    },
    trust: [],
    limits: { cpu: 2, host: 8, rampUp: true, task: 900_000, tries: 3 },
  });
});

test('every key', async () => {
  const result = await loadYaml(settings);
  const file = join(folder, 'slipway.config.yaml');
  expect(result.ok && result.warnings).toEqual([
    'slipway.config.yaml:35:7: the waiver of CVE-2026-0002 ended on 2026-11-22',
  ]);
  const identity = {
    kind: 'identity',
    issuer: { exact: 'https://issuer.example' },
    subject: { pattern: '^(?:https://ci\\.example/images/.*)$' },
  };
  expect(valueOf(result)).toMatchObject({
    file,
    folder,
    plugins: [
      { name: 'sync-skopeo', options: {}, at: { file, line: 3, column: 5 } },
      { name: './plugins/mine.ts', options: { level: 3 } },
    ],
    use: {
      'image.copy': { plugin: 'sync-skopeo', at: { line: 7, column: 3 } },
      'image.build/apko': { plugin: 'build-other' },
    },
    main: 'trunk',
    mirrors: [
      { source: 'docker.io/library', mirror: 'mirror.example/hub', trusted: true },
      { source: 'ghcr.io', mirror: 'localhost:5000', trusted: false },
    ],
    plainHttp: ['registry.example:5000'],
    policy: {
      build: {
        verdict: 'refuse',
        severities: ['CRITICAL'],
        fixable: false,
        unscanned: 'refuse',
        unscannable: 'report',
        endOfLife: 'refuse',
        notWorse: true,
      },
      sync: { verdict: 'refuse', severities: ['CRITICAL', 'HIGH'] },
      overrides: [{ match: 'build:registry.example/old/**', verdict: 'report' }],
      waivers: [
        { id: 'CVE-2026-0001', match: '**/hello:*', reason: 'not reachable', expires: '2027-01-31' },
        { id: 'CVE-2026-0002' },
      ],
      scanMaxAge: 7 * 86_400_000,
    },
    trust: [{ match: 'sync:registry.example/mirror/**', level: 'copy' }],
    signing: {
      signer: identity,
      accept: [
        identity,
        {
          kind: 'identity',
          issuer: { pattern: '^(?:https://.*\\.example)$' },
          subject: { exact: 'bot@registry.example' },
        },
      ],
      identityTokenEnv: 'ID_TOKEN',
    },
    limits: { cpu: 3, host: 4, task: 7_200_000, tries: 5 },
  });
  expect(valueOf(result).signing).not.toHaveProperty('key');
  expect(valueOf(result)).not.toHaveProperty('scratch');
});

test('everything that is wrong comes at once, each at its place', async () => {
  const result = await loadYaml(`plugin: []
plugins: [--help, ok, {name: ok}, {options: {}}]
use: {image.cpy: x, core.tag: y}
mirrors:
  - {source: hub, mirror: 'a.example/B'}
plainHttp: ['a.example/b']
policy:
  build: refus
  sync: {severities: [critical], fixable: yes}
  waivers:
    - {id: CVE-1, reason: r, expires: 2026-02-30}
  scan: {maxAge: 7 days}
trust: [{match: a, level: none}]
limits: {task: 8d, cpu: 0, tries: many}
`);
  expect(complaints(result)).toEqual([
    '1:1 unknown key "plugin"',
    '2:11 "plugins[0]" cannot be "--help"',
    '2:23 the plugin "ok" is listed twice',
    '2:35 "name" is missing in "plugins[3]"',
    '3:7 unknown key "image.cpy" in "use"',
    '3:21 unknown key "core.tag" in "use"',
    '5:14 "hub" is not a registry host',
    '5:27 "a.example/B" is not the beginning of a repository name',
    '6:13 "a.example/b" is not a registry host',
    '8:10 "build" must be one of refuse, report, not "refus"',
    '9:23 "severities[0]" must be one of CRITICAL, HIGH, MEDIUM, LOW, UNKNOWN, not "critical"',
    '9:43 "fixable" must be true or false, not text',
    '11:39 "expires" is not a day of the calendar',
    '12:18 "maxAge" cannot be "7 days"',
    '13:27 "level" must be one of full, copy, not "none"',
    '14:16 "task" is longer than 7d',
    '14:25 "cpu" must be at least 1',
    '14:35 "tries" must be a whole number, not text',
  ]);
  expect(hints(result)).toEqual(
    expect.arrayContaining([
      'did you mean "refuse"?',
      'did you mean "image.copy"?',
      'did you mean "CRITICAL"?',
      'for example 7d, 12h',
    ]),
  );
});

test('a time without a unit is told how it is written', async () => {
  const result = await loadYaml('limits: {task: 15}');
  expect(complaints(result)).toEqual(['1:16 "task" must be text, not a number']);
  expect(hints(result)).toEqual(['write its unit too, as 15m, 15h or 15d']);
});

test('a pattern that no glob can be made of is refused at its place', async () => {
  const long = 'a'.repeat(65_537);
  const result = await loadYaml(`trust: [{match: '', level: copy}]
policy:
  overrides: [{match: ''}]
  waivers: [{id: CVE-1, reason: r, expires: 2027-01-31, match: ''}]
check: {waivers: [{rule: source-exists, reason: r, expires: 2027-01-31, match: ${long}}]}
`);
  expect(complaints(result)).toEqual([
    '1:17 "match" is empty',
    '3:23 "match" is empty',
    '4:64 "match" is empty',
    '5:80 "match" is longer than 512 characters',
  ]);
});

describe('where settings come from', () => {
  test('an order of preference, with a warning for what is ignored', async () => {
    await write('slipway.config.json', '{"$schema": "./x.json", "main": "json"}');
    await write('slipway.config.yaml', 'main: yaml');
    const result = await load();
    expect(valueOf(result).main).toBe('yaml');
    expect(result.ok && result.warnings).toEqual([
      'slipway.config.json is ignored, because slipway.config.yaml is there',
    ]);
    expect(valueOf(await load('slipway.config.json')).main).toBe('json');
  });

  test('never the folders above', async () => {
    await write('slipway.config.yaml', 'main: above');
    expect(valueOf(await loadSettings({ folder: join(folder, 'below'), ...defaults })).main).toBe('main');
  });

  test('code: plain data, without keys that are undefined', async () => {
    await write('slipway.config.mjs', 'export default { main: "js", plugins: undefined, limits: { cpu: 7 } };');
    expect(valueOf(await load())).toMatchObject({
      main: 'js',
      limits: { cpu: 7 },
      file: join(folder, 'slipway.config.mjs'),
    });
    await write('typed.ts', 'const main: string = "ts"; export default { main };');
    expect(valueOf(await load('typed.ts')).main).toBe('ts');
  });

  test.each([
    ['throws.mjs', 'throw new Error("first line\\nsecond line")', 'the settings could not be run: first line'],
    [
      'enoent.mjs',
      'import "node:fs"; throw Object.assign(new Error("gone"), { code: "ENOENT" })',
      'the settings could not be run: gone',
    ],
    ['function.mjs', 'export default { limits: { cpu: () => 1 } }', 'limits.cpu is not plain data'],
    ['cycle.mjs', 'const a = []; a.push(a, a); export default { plugins: a }', 'is nested too deeply'],
    ['none.mjs', 'export const main = 1', 'the default export is not plain data'],
    ['wrong.mjs', 'export default { mian: "x" }', 'unknown key "mian"'],
  ])('code that is wrong: %s', async (name, code, complaint) => {
    await write(name, code);
    const result = await load(name);
    expect(complaints(result)).toEqual([expect.stringMatching(/^1:1 /)]);
    expect(complaints(result)[0]).toContain(complaint);
  });

  test('settings that are there but cannot be used are never passed over', async () => {
    await write('slipway.config.mjs', 'throw Object.assign(new Error("gone"), { code: "ENOENT" })');
    expect((await load()).ok).toBe(false);
    await mkdir(join(folder, 'slipway.config.yaml'));
    await write('slipway.config.json', '{}');
    const unreadable = `- the settings ${join(folder, 'slipway.config.yaml')} cannot be read`;
    expect(complaints(await load())).toEqual([unreadable]);
    await rm(join(folder, 'slipway.config.yaml'), { recursive: true });
    expect(complaints(await load('missing.yaml'))).toEqual([`- ${join(folder, 'missing.yaml')} does not exist`]);
    expect(complaints(await load('settings.toml'))[0]).toContain('of no known kind');
    expect(complaints(await loadYaml('main: [\n'))[0]).toMatch(/^2:1 not valid YAML/);
    expect(valueOf(await loadYaml('\n')).main).toBe('main');
  });

  test('a file that was surely meant for them is not passed over in silence', async () => {
    for (const name of ['slipway.config.cjs', 'slipway.yaml', 'slipway.lock.yaml', 'slipway.config.yaml.bak'])
      await write(name, 'trust: []\n');
    const warned = (await load()) as { readonly warnings?: readonly string[] };
    expect(warned.warnings?.map((each) => each.split(':')[0])).toEqual([
      'slipway.config.cjs is ignored',
      'slipway.yaml is ignored',
    ]);
    expect(hints(await loadYaml('sync: []\n'))).toEqual(['that stands in the config, config.yaml']);
  });
});

describe('signing', () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicPem = String(pair.publicKey.export({ type: 'spki', format: 'pem' }));
  const privatePem = String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const fingerprint = createHash('sha256')
    .update(pair.publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');

  beforeEach(async () => {
    await write('k.pub', publicPem);
    await write('k.key', 'not read');
  });

  test('a key file becomes absolute, its public key a fingerprint', async () => {
    const key = { kind: 'key', publicKey: publicPem, fingerprint };
    const { signing, scratch } = valueOf(
      await loadYaml(
        'signing:\n  key: k.key\n  publicKey: ./k.pub\n  accept: [{publicKey: k.pub}]\n  trustedRoot: k.key\n  scratch: {key: "env://K", publicKey: k.pub}\n',
      ),
    );
    expect(signing).toEqual({
      key: join(folder, 'k.key'),
      keyAt: expect.objectContaining({ line: 2, column: 8 }),
      publicKeyFile: join(folder, 'k.pub'),
      signer: key,
      accept: [key, key],
      trustedRoot: join(folder, 'k.key'),
    });
    expect(scratch).toEqual({
      key: 'env://K',
      keyAt: expect.objectContaining({ line: 6 }),
      publicKeyFile: join(folder, 'k.pub'),
      signer: key,
      accept: [key],
    });
  });

  test('scratch alone signs nothing but --to', async () => {
    const value = valueOf(await loadYaml('signing: {scratch: {key: "awskms:///alias/x", publicKey: k.pub}}\n'));
    expect(value).not.toHaveProperty('signing');
    expect(value.scratch?.key).toBe('awskms:///alias/x');
  });

  test.each([
    ['{key: k.key}', '1:16 "publicKey" is missing beside "key"'],
    ['{key: "vault://x", publicKey: k.pub}', '1:16 "key" has an unknown scheme'],
    ['{key: "env://--help", publicKey: k.pub}', '1:16 "key" names no environment variable'],
    ['{key: k.key, publicKey: k.key}', '1:34 "k.key" is not a PEM public key'],
    ['{key: k.key, publicKey: p.key}', '1:34 "p.key" is a private key'],
    ['{key: k.key, publicKey: "a\\0b"}', expect.stringContaining('has a control character')],
    ['{publicKey: k.pub}', '1:10 "signing" names no signer'],
    ['{accept: [{publicKey: k.pub, issuer: x}], key: env://K, publicKey: k.pub}', '1:20 a public key stands alone'],
    [
      '{key: env://K, publicKey: k.pub, keyless: {issuer: a, subject: b}}',
      '1:52 "key" and "keyless" exclude each other',
    ],
    ['{keyless: {issuer: a, subject: b}, publicKey: k.pub}', '1:56 "publicKey" belongs to "key", not to "keyless"'],
    ['{keyless: {issuer: a}}', '1:20 "subject" is missing'],
    ['{keyless: {issuer: a, issuerPattern: b, subject: c}}', '1:47 "issuer" and "issuerPattern" exclude each other'],
    [
      '{keyless: {issuer: a, subjectPattern: "("}}',
      '1:48 "(" is not a regular expression of RE2: missing closing ): `(`',
    ],
    [
      '{keyless: {issuer: a, subjectPattern: "a)|(b"}}',
      '1:48 "a)|(b" is not a regular expression of RE2: unexpected ): `a)|(b`',
    ],
    ...[
      ['(?!a)b', 'invalid or unsupported Perl syntax: `(?!`'],
      ['a{1,2000}', 'invalid repeat count: `{1,2000}`'],
      ['(?:a{100}){100}', 'invalid repeat count: `{100}`'],
      ['[^]*', 'missing closing ]: `[^]*`'],
      ['\\p{Script=Greek}+', 'invalid character class range: `\\p{Script=Greek}`'],
      ['\\Qa', 'missing closing ): `^(?:\\Qa)$`'],
    ].map(([pattern, why]): [string, string] => [
      `{keyless: {issuer: a, subjectPattern: '${pattern}'}}`,
      `1:48 "${pattern}" is not a regular expression of RE2: ${why}`,
    ]),
    ['{keyless: {issuer: a, subject: b}, identityTokenEnv: "-x"}', '1:63 "identityTokenEnv" cannot be "-x"'],
    ['{scratch: {key: none}}', '1:26 "publicKey" is missing beside "key"'],
  ])('%s', async (text, complaint) => {
    await write('p.key', privatePem);
    expect(complaints(await loadYaml(`signing: ${text}\n`))).toContainEqual(complaint);
  });
});

test('a pattern of an identity may be whatever RE2 knows', async () => {
  const pattern = String.raw`(?i)https://github\.com/my\-org/[[:alpha:]]+`;
  const { signing } = valueOf(await loadYaml(`signing: { keyless: { issuer: a, subjectPattern: '${pattern}' } }\n`));
  const signer = signing?.signer;
  if (signer?.kind !== 'identity') throw new Error('no identity');
  const matches = ['https://GitHub.com/my-org/a', 'https://github.com/my-org/a/b', 'xhttps://github.com/my-org/a'];
  expect(matches.map((subject) => matchesIdentity(signer.subject, subject))).toEqual([true, false, false]);
});
