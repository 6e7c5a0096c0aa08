import { chmod, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fail, ok } from '../failure.ts';
import { createExec, looksTransient, type ExecDependencies } from './exec.ts';
import { createRedactor } from './redact.ts';

const CANARY = 'canary-5ecret';

/** An exec whose one tool, `tool`, is this shell script. */
async function toolOf(script: string, more: Partial<ExecDependencies> = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-exec-'));
  const path = join(folder, 'tool');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  const tmpFolder = await mkdtemp(join(folder, 'tmp-'));
  const log: string[] = [];
  const started: string[] = [];
  const exec = createExec({
    plugin: { name: 'sync-test', needs: { tools: [{ name: 'tool', range: '*' }], env: ['TOOL_SETTING'] } },
    hook: 'image.copy@1',
    finder: { find: async ({ name }) => ok({ name, path, version: '1.2.3' }) },
    workFolder: folder,
    tmpFolder,
    dockerConfigFor: async (hosts) => ({
      auths: Object.fromEntries(hosts.map((host) => [host, { auth: 'dXNlcjpwYXNz' }])),
    }),
    redact: createRedactor([CANARY]),
    signal: new AbortController().signal,
    timeout: 10_000,
    onTool: (name, version) => started.push(`${name} ${version}`),
    log: (line) => log.push(line),
    env: {
      PATH: '/usr/bin:/bin',
      TZ: 'UTC',
      HTTP_PROXY: 'http://proxy',
      TOOL_SETTING: 'on',
      GITHUB_TOKEN: CANARY,
      HOME: '/root',
    },
    ...more,
  });
  return { exec, folder, tmpFolder, log, started };
}

describe('createExec', () => {
  it('starts nothing that the plugin does not declare', async () => {
    const { exec, started } = await toolOf('exit 0');
    expect(await exec('curl', [])).toMatchObject({
      ok: false,
      failure: { reason: 'plugin', plugin: 'sync-test', message: expect.stringContaining('"curl"') },
    });
    expect(started).toEqual([]);
  });

  it('hands on that a tool is missing', async () => {
    const missing = fail({ reason: 'missing-tool', class: 'permanent', tool: 'tool', message: 'no tool' } as const);
    const { exec } = await toolOf('exit 0', { finder: { find: async () => missing } });
    expect(await exec('tool', [])).toEqual(missing);
  });

  it('gives the allow-listed environment, what is declared, what the call adds, and folders of our own', async () => {
    const { exec, tmpFolder, started } = await toolOf('env | sort');
    const result = await exec('tool', [], { env: { COSIGN_PASSWORD: 'x', TMPDIR: '/elsewhere' } });
    const names = result.ok ? result.value.stdout.split('\n').filter(Boolean) : [];
    const ours = names.filter(
      (line) =>
        !/^(SLIPWAY_PROCESS|SLIPWAY_OWNER|PWD|OLDPWD|SHLVL|_)=/.test(line) &&
        !/^(DOCKER_CONFIG|REGISTRY_AUTH_FILE)=/.test(line),
    );
    expect(ours).toEqual(
      [
        'COSIGN_PASSWORD=x',
        `HOME=${join(tmpFolder, 'home')}`,
        'HTTP_PROXY=http://proxy',
        'PATH=/usr/bin:/bin',
        `TMPDIR=${tmpFolder}`,
        'TOOL_SETTING=on',
        'TZ=UTC',
      ].sort(),
    );
    expect(started).toEqual(['tool 1.2.3']);
  });

  it('shows a tool the credentials of the named hosts only, in private files that are gone afterwards', async () => {
    const { exec, tmpFolder } = await toolOf(
      'stat -c %a "$DOCKER_CONFIG" "$REGISTRY_AUTH_FILE"; cat "$DOCKER_CONFIG/config.json"',
    );
    const result = await exec('tool', [], { hosts: ['ghcr.io'] });
    expect(result.ok && result.value.stdout).toBe('700\n600\n{"auths":{"ghcr.io":{"auth":"dXNlcjpwYXNz"}}}');
    expect(await readdir(tmpFolder)).toEqual(['home']);
    const none = await exec('tool', []);
    expect(none.ok && none.value.stdout).toContain('{"auths":{}}');
  });

  it('makes a failure of a non-zero exit, with the last lines redacted', async () => {
    const { exec, log } = await toolOf(
      `i=0; while [ $i -lt 40 ]; do echo "line $i" >&2; i=$((i+1)); done; echo "denied: ${CANARY}" >&2; exit 7`,
    );
    const result = await exec('tool', []);
    if (result.ok || result.failure.reason !== 'tool') {
      throw new Error('expected a tool failure');
    }
    expect(result.failure).toMatchObject({
      class: 'permanent',
      tool: 'tool',
      exitCode: 7,
      message: 'tool ended with exit code 7: denied: ***',
    });
    expect(result.failure.output?.split('\n')).toHaveLength(20);
    expect(JSON.stringify([result, log])).not.toContain(CANARY);
    expect(log).toHaveLength(41);
  });

  it('redacts known secrets in stdout too', async () => {
    const { exec } = await toolOf(`echo '{"token":"${CANARY}"}'`);
    expect(await exec('tool', [])).toMatchObject({ ok: true, value: { stdout: '{"token":"***"}\n' } });
  });

  it('shows no half of a secret where stdout says why it failed', async () => {
    const { exec } = await toolOf(`printf '%s' '${CANARY}'; printf '%8185s' x; exit 1`);
    const result = await exec('tool', []);
    expect(JSON.stringify(result)).not.toContain(CANARY.slice(-6));
    expect(result).toMatchObject({ ok: false, failure: { output: expect.stringMatching(/\*\*\* +x$/) } });
  });

  it('redacts what one call alone hands over as a secret', async () => {
    const { exec, log } = await toolOf('echo "$BUILD_SECRET_0 $PLAIN"; echo "$BUILD_SECRET_0" >&2');
    const result = await exec('tool', [], { env: { BUILD_SECRET_0: 'tr0ub4dor-3', PLAIN: 'plain text' } });
    expect(result).toMatchObject({ ok: true, value: { stdout: '*** plain text\n' } });
    expect(log).toEqual(['***']);
  });

  it('passes an argument that looks like an option as it is', async () => {
    const { exec } = await toolOf('printf "%s\\n" "$@"');
    expect(await exec('tool', ['--', '--help', '$(id)'])).toMatchObject({
      ok: true,
      value: { stdout: '--\n--help\n$(id)\n' },
    });
  });

  it('can be tried again after its time limit or a network error, not after others', async () => {
    const slow = await toolOf('sleep 20', { timeout: 100 });
    expect(await slow.exec('tool', [])).toMatchObject({
      failure: { reason: 'tool', class: 'transient', message: 'tool did not end within 100 ms' },
    });
    const offline = await toolOf('echo "dial tcp 127.0.0.1:1: connect: connection refused" >&2; exit 1');
    expect(await offline.exec('tool', [])).toMatchObject({ failure: { class: 'transient' } });
    const full = await toolOf('echo "502 Bad Gateway; write x: no space left on device" >&2; exit 1');
    expect(await full.exec('tool', [])).toMatchObject({
      failure: { class: 'permanent', message: 'tool found no space left on the disk' },
    });
  });

  it('says cancelled when it is cancelled, and a time limit when the task has one', async () => {
    const cancelled = await toolOf('sleep 20', { signal: AbortSignal.timeout(1) });
    expect(await cancelled.exec('tool', [])).toMatchObject({ failure: { reason: 'tool', class: 'transient' } });
    const abort = new AbortController();
    const running = await toolOf('sleep 20', { signal: abort.signal, onTool: () => abort.abort() });
    expect(await running.exec('tool', [])).toMatchObject({ failure: { reason: 'cancelled' } });
  });

  it.each([
    ['kill -9 $$', 'tool was ended by SIGKILL'],
    ['exit 3', 'tool ended with exit code 3'],
  ])('has no words where the tool had none: %s', async (script, message) => {
    const { exec } = await toolOf(script);
    const result = await exec('tool', []);
    expect(result).toMatchObject({ ok: false, failure: { message } });
    expect(result.ok ? {} : result.failure).not.toHaveProperty('output');
  });

  it('refuses output over its limit', async () => {
    const { exec } = await toolOf('head -c 100000 /dev/zero');
    expect(await exec('tool', [], { maxOutput: 1000 })).toMatchObject({
      failure: { reason: 'tool', class: 'permanent' },
    });
  });

  it.each([
    ['read tcp: i/o timeout', true],
    ['net/http: TLS handshake timeout', true],
    ['unexpected status code 503 Service Unavailable', true],
    ['GET https://host/v2/: 429 Too Many Requests', true],
    ['TOOMANYREQUESTS: slow down', true],
    ['unexpected status code 404 Not Found', false],
    ['MANIFEST_UNKNOWN: manifest sha256:50300429 unknown', false],
    ['image has 500 layers', false],
  ])('looksTransient: %s', (text, expected) => {
    expect(looksTransient(text)).toBe(expected);
  });
});
