/** The command line as people and programs meet it: help, mistakes, refusals, exit codes. Nothing here asks a network. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { answerOf, command, folderWith, worldOf } from '../testing.ts';
import { runProgram } from './program.ts';

const COMMANDS = ['plan', 'run', 'sync', 'build', 'scan', 'verify', 'show', 'doctor', 'tools install', 'schema'];
/** Those that read config.yaml. */
const READERS = ['plan', 'run', 'sync', 'build', 'scan', 'verify', 'doctor'];

const ONE = 'sync:\n  - source: alpine:3.20\n    destination: registry.example/images/alpine:3.20\n';

function sync(source: string, destination = 'registry.example/images/alpine:3.20'): string {
  return `sync:\n  - source: ${JSON.stringify(source)}\n    destination: ${JSON.stringify(destination)}\n`;
}

describe('help', () => {
  it.each(COMMANDS)('%s explains itself, with examples', async (name) => {
    const { code, stdout, stderr } = await command({ cwd: '/' }, ...name.split(' '), '--help');
    expect(code).toBe(0);
    expect(stderr).toBe('');
    expect(stdout).toContain(`Usage: slipway ${name}`);
    expect(stdout).toContain(`Examples:\n  slipway ${name}`);
  });

  it.each([[], ['run'], ['tools'], ['plugin', 'diff']])('fits a terminal: %s', async (...name) => {
    const { stdout } = await command({ cwd: '/' }, ...name, '--help');
    const [text = ''] = stdout.split('Examples:');
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(text).not.toMatch(/default: (?:false|\[\])/);
  });

  it('every example that plans can be typed as it stands', async () => {
    const cwd = folderWith({ 'config.yaml': ONE });
    const { stdout } = await command({ cwd }, 'plan', '--help');
    const examples =
      stdout
        .split('Examples:\n')[1]
        ?.match(/slipway (plan --format .*)/)?.[1]
        ?.split(' ') ?? [];
    expect((await command({ cwd }, ...examples)).code).toBe(0);
  });

  it('names the commands and the exit codes; the version is one line', async () => {
    const { code, stdout } = await command({ cwd: '/' }, '--help');
    expect(code).toBe(0);
    for (const name of COMMANDS) expect(stdout).toContain(`  ${name.split(' ')[0]} `);
    expect(stdout).toMatch(/0 done .* 1 .*\n.* 2 .* 3 .*\n.* 5 .* 130 /);
    expect((await command({ cwd: '/' }, '--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

it.each(READERS)('%s in an empty folder says how to begin', async (name) => {
  const cwd = folderWith({});
  const { code, stderr } = await command({ cwd }, name);
  expect(code).toBe(2);
  expect(stderr).toContain('config.yaml does not exist');
  expect(stderr).toContain('slipway init');
});

describe('a mistake on the command line', () => {
  it.each([
    [['plann'], 'Did you mean plan?'],
    [['plan', '--jsno'], 'Did you mean --json?'],
    [['--config', 'x.yaml', 'plan'], 'options stand after the command, as slipway plan --config'],
    [['plan', '--format', 'svg'], 'mermaid'],
    [['run', '--jobs', '0'], 'from 1 to 1024'],
    [['run', '--jobs', '2x'], 'from 1 to 1024'],
    [['run', '--jobs', '1025'], 'from 1 to 1024'],
    [['run', '--timeout', 'soon'], 'as 30m'],
    [['run', '--timeout', '25d'], '24d at most'],
    [['run', '--timeout', '577h'], '24d at most'],
    [['run', '--fail', 'never'], 'subgraph'],
    [['run', 'extra'], 'too many arguments'],
    [['show'], 'reference'],
    [['tools', 'instal'], 'Did you mean install?'],
    [[], 'Usage'],
  ])('%j is exit 2 and says what would be right', async (args, hint) => {
    const { code, stdout, stderr } = await command({ cwd: '/' }, ...args);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain(hint);
  });

  it.each([
    [['plan', '--json', '--frob'], 'plan', '--frob'],
    [['frob', '--json'], 'slipway', 'frob'],
    [['tools', 'install', '--json', '--frob'], 'tools install', '--frob'],
    [['run', '--json', '--jobs', '0'], 'run', 'from 1 to 1024'],
    [['run', '--json', '--only', ''], 'run', "'--only <pattern>' argument '' is invalid. a pattern is not empty"],
    [['plan', '--json', '--exclude='], 'plan', "'--exclude <pattern>' argument '' is invalid"],
    [['prune', '--json', '--only', ''], 'prune', '--only <pattern>'],
    [['why', '--json', ''], 'why', "argument 'pattern'. a pattern is not empty"],
  ])('%j also answers in JSON', async (args, name, said) => {
    const ran = await command({ cwd: '/' }, ...args);
    expect(ran.code).toBe(2);
    expect(answerOf(ran)).toMatchObject({ command: name, ok: false, failures: [{ reason: 'config' }] });
    expect(answerOf(ran).failures[0]?.message).toContain(said);
  });
});

it.each([
  ['plan', '--only'],
  ['update', '--exclude'],
  ['why', '--'],
])('%s %s with a pattern of too many characters is exit 2', async (name, option) => {
  const cwd = folderWith({ 'config.yaml': ONE });
  const ran = await command({ cwd }, name, '--json', option, 'a'.repeat(65_537));
  expect(ran.code).toBe(2);
  expect(answerOf(ran).failures[0]?.message).toContain('a pattern has 4096 characters at most');
  const longest = await command({ cwd }, name, '--json', option, '('.repeat(4096));
  expect(answerOf(longest).failures[0]?.message).not.toContain('at most');
});

describe('a bug', () => {
  /** Throws as soon as a command looks for the branch. */
  const env = {
    get GITHUB_REF(): string {
      throw new TypeError('nobody thought of this');
    },
  };
  const starved = Promise.reject<never>(new Error('nothing is left to wait for'));
  starved.catch(() => {});

  it.each([
    ['thrown', env, undefined, 'nobody thought of this'],
    ['that keeps the command from ending', {}, starved, 'nothing is left to wait for'],
  ])('%s is thrown on, and is the answer where JSON was asked for', async (_, around, never, said) => {
    const cwd = folderWith({ 'config.yaml': ONE });
    const { world, written } = worldOf({ cwd, env: around });
    await expect(runProgram(world, ['plan', '--json'], never)).rejects.toThrow(said);
    expect(answerOf(written)).toMatchObject({
      command: 'plan',
      ok: false,
      failures: [{ reason: 'tool', message: `this is a bug: ${said}` }],
    });
    const text = worldOf({ cwd, env: around });
    await expect(runProgram(text.world, ['plan'], never)).rejects.toThrow(said);
    expect(text.written.stdout).toBe('');
  });

  it('after the answer adds nothing to it', async () => {
    const { world, written } = worldOf({ cwd: folderWith({ 'config.yaml': ONE }) });
    const stdout = (text: string): void => {
      world.stdout(text);
      throw new Error('too late');
    };
    await expect(runProgram({ ...world, stdout }, ['plan', '--json'])).rejects.toThrow('too late');
    expect(answerOf(written)).toMatchObject({ command: 'plan', ok: true });
  });
});

describe('a refusal', () => {
  it.each(READERS)('%s --json without a config answers in the envelope, and explains on stderr', async (name) => {
    const ran = await command({ cwd: folderWith({}) }, name, '--json');
    expect(ran.code).toBe(2);
    expect(answerOf(ran)).toMatchObject({ command: name, ok: false });
    expect(ran.stderr).toContain('config.yaml');
  });

  it.each(READERS)('%s --json with settings that are wrong points at the line', async (name) => {
    const cwd = folderWith({ 'config.yaml': ONE, 'slipway.config.yaml': 'signin:\n  key: k\n' });
    const ran = await command({ cwd }, name, '--json');
    expect(ran.code).toBe(2);
    expect(answerOf(ran).failures[0]).toMatchObject({ at: { line: 1, column: 1 } });
    expect(ran.stderr).toContain('slipway.config.yaml:1:1: ');
    expect(ran.stderr).toContain('  1 | signin:\n    | ^\n');
    expect(ran.stderr).toContain('signing');
  });

  it.each(['run', 'sync', 'scan'])('%s without key and identity is exit 2 before anything runs', async (name) => {
    const cwd = folderWith({ 'config.yaml': ONE });
    const ran = await command({ cwd, env: { PATH: process.env['PATH'] ?? '' } }, name, '--json');
    expect(ran.code).toBe(2);
    expect(answerOf(ran).failures[0]?.message).toBe('nothing says who signs');
    expect(ran.stderr).toContain('signing.key');
  });

  it.each(['run', 'verify'])('%s that ends so tells of the settings that it passed over', async (name) => {
    const cwd = folderWith({ 'config.yaml': 'sync: [{ source: a, destination: r.example/a }]\n', 'slipway.yaml': '' });
    const { code, stderr } = await command({ cwd }, name);
    expect(code).toBe(2);
    expect(stderr).toContain('warning: slipway.yaml is ignored');
  });

  it('a signing key in a variable that is empty, and keyless without a token, are exit 2', async () => {
    const cwd = folderWith({ 'config.yaml': ONE });
    const keys = `signing:\n  key: env://MY_KEY\n  publicKey: cosign.pub\n`;
    writeFileSync(join(cwd, 'cosign.pub'), PUBLIC_KEY);
    writeFileSync(join(cwd, 'slipway.config.yaml'), keys);
    expect(await command({ cwd }, 'run')).toMatchObject({ code: 2, stderr: expect.stringContaining('env://MY_KEY') });
    writeFileSync(
      join(cwd, 'slipway.config.yaml'),
      'signing:\n  keyless:\n    subject: a@b.example\n    issuer: https://i.example\n',
    );
    expect(await command({ cwd }, 'run')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no ambient identity'),
    });
  });

  it('a tool that is missing is exit 5 and names the command that installs it', async () => {
    const cwd = folderWith({ 'config.yaml': ONE, 'bin/empty': '', 'tools/empty': '' });
    const env = { PATH: join(cwd, 'bin'), SLIPWAY_TOOLS: join(cwd, 'tools') };
    const ran = await command({ cwd, env }, 'run', '--json', '--to', 'localhost:5000/scratch');
    expect(ran.code).toBe(5);
    expect(answerOf(ran).failures.map(({ reason }) => reason)).toContain('missing-tool');
    expect(ran.stderr).toContain('slipway tools install');
    expect(ran.stderr).toContain('trivy');
  });

  it('verify without a signer says what to set', async () => {
    const ran = await command({ cwd: folderWith({ 'config.yaml': ONE }) }, 'verify', '--json');
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('signing.publicKey') });
    expect(answerOf(ran).failures).toHaveLength(1);
  });

  it('tools install of an unknown tool lists those it knows', async () => {
    const ran = await command({ cwd: '/' }, 'tools', 'install', 'frobnicate', '--json');
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('crane') });
    expect(answerOf(ran).command).toBe('tools install');
  });

  it.each(['--help', '-rf', '$(x)', 'a b', '../x', 'example.test/UPPER', 'x:', `x\ny`, ''])(
    'show of %j is exit 2',
    async (reference) => {
      const ran = await command({ cwd: folderWith({}) }, 'show', '--json', '--', reference);
      expect(ran.code).toBe(2);
      expect(answerOf(ran).ok).toBe(false);
      expect(ran.stderr).not.toMatch(/\n {4}at |[^\P{Cc}\n]/u);
    },
  );

  it('a .slipway that cannot be written is a refusal, not a bug', async () => {
    const trust = "trust: [{ match: '**', level: copy }]";
    const cwd = folderWith({ 'config.yaml': ONE, 'slipway.config.yaml': trust, '.slipway': 'a file' });
    const ran = await command({ cwd }, 'run', '--json');
    expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('.slipway') });
    expect(answerOf(ran).ok).toBe(false);
  });
});

describe('a folder for temporary files that cannot be used', () => {
  const looks = ['check', 'doctor', 'plan --resolve', 'why --resolve', 'update', 'diff'];
  it.each([...looks, 'show localhost:5000/a:1', 'plugin diff sync-crane sync-registry'])(
    'keeps %s from looking, with exit 2',
    async (line) => {
      // Nor can anything be kept beside the config.
      const cwd = folderWith({ 'config.yaml': ONE, '.slipway': '', file: '' });
      vi.stubEnv('TMPDIR', join(cwd, 'file'));
      onTestFinished(() => void vi.unstubAllEnvs());
      const ran = await command({ cwd }, ...line.split(' '), '--json');
      expect(ran).toMatchObject({ code: 2, stderr: expect.stringContaining('TMPDIR') });
      expect(answerOf(ran).failures[0]?.message).toContain(
        `the folder ${join(cwd, 'file')} for temporary files cannot`,
      );
    },
  );

  it('is not made where there is none', async () => {
    const cwd = folderWith({ 'config.yaml': ONE, 'slipway.config.yaml': "trust: [{ match: '**', level: copy }]" });
    vi.stubEnv('TMPDIR', join(cwd, 'none', 'tmp'));
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await command({ cwd }, 'diff')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        `the folder ${join(cwd, 'none', 'tmp')} for temporary files cannot be used (ENOENT`,
      ),
    });
    expect(existsSync(join(cwd, 'none'))).toBe(false);
  });
});

describe('names from the config', () => {
  it.each([
    '--help',
    '-rf',
    '$(x)',
    '`x`',
    'a;b',
    'a\nb',
    'registry.example/-rf',
    'registry.example/a:-rf',
    '../../etc',
    '/etc/passwd',
  ])('a source or destination %j is refused at its line, or is a plain name', async (name) => {
    for (const config of [sync(name), sync('alpine:3.20', name)]) {
      const ran = await command({ cwd: folderWith({ 'config.yaml': config }) }, 'plan', '--json');
      expect(ran.code).toBe(2);
      expect(ran.stderr).toMatch(/config\.yaml:[23]:\d+: /);
      expect(answerOf(ran).failures[0]?.at).toMatchObject({ line: expect.any(Number) });
    }
  });

  it.each(['--help', '-rf', '$(x)', 'no/../../x', 'host only', '', '\n'])('--to %j is exit 2', async (prefix) => {
    const ran = await command({ cwd: folderWith({ 'config.yaml': ONE }) }, 'plan', '--json', `--to=${prefix}`);
    expect(ran.code).toBe(2);
    expect(answerOf(ran).ok).toBe(false);
  });

  it.each(['--help', '-rf', '$(x)', '[', 'a\nb', '(((', '**'.repeat(200)])(
    '--only and --exclude %j do no more than select',
    async (pattern) => {
      const cwd = folderWith({ 'config.yaml': ONE });
      for (const option of ['--only', '--exclude']) {
        const ran = await command({ cwd }, 'plan', '--json', `${option}=${pattern}`);
        expect([0, 2]).toContain(ran.code);
        expect(answerOf(ran).command).toBe('plan');
      }
    },
  );

  it.each([
    '../outside/Dockerfile',
    '/etc/passwd',
    'link/Dockerfile',
    'images/../../outside/Dockerfile',
    '--help',
    './$(x)',
    'images/missing.yaml',
  ])('a build source %j outside of the folder, or not there, is exit 2', async (source) => {
    const top = folderWith({
      'outside/Dockerfile': 'FROM scratch\n',
      'repo/config.yaml': `build:\n  - source: ${JSON.stringify(source)}\n    destination: registry.example/a:1\n`,
    });
    const cwd = join(top, 'repo');
    symlinkSync(join(top, 'outside'), join(cwd, 'link'));
    const ran = await command({ cwd }, 'plan', '--json');
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(/^config\.yaml:2:\d+: /);
    expect(answerOf(ran).ok).toBe(false);
  });

  it.each(['--help', '../x.yaml', 'no\0such', ''])('--config %j is exit 2', async (file) => {
    const ran = await command({ cwd: folderWith({}) }, 'plan', '--json', `--config=${file}`);
    expect(ran.code).toBe(2);
    expect(answerOf(ran).ok).toBe(false);
  });
});

const PUBLIC_KEY = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' });
