/** `import` as a command: what goes where, and with which exit code. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answerOf, command, folderWith } from '../testing.ts';

const STEPS = `defaults: { interval: 1h, ratelimit: { min: 20 } }
creds: [{ registry: docker.io, user: '{{ env "HUB_USER" }}', pass: '{{ env "HUB_TOKEN" }}', mirrors: [hub.example] }]
sync:
  - { source: 'alpine:3.20', target: '{{ env "REGISTRY" }}/alpine:3.20', type: image }
`;

const STRICT = ['import', 'regsync', 'regsync.yml', '--strict'];

describe('import', () => {
  it('prints a config that plans, and names on stderr what has no equivalent', async () => {
    const cwd = folderWith({ 'regsync.yml': STEPS });
    const made = await command({ cwd, env: { REGISTRY: 'r.example' } }, 'import', 'regsync', 'regsync.yml');
    expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining('regsync.yml:1:23: defaults.interval: ') });
    expect(made.stderr).toContain('env.REGISTRY');
    writeFileSync(join(cwd, 'config.yaml'), made.stdout);
    const { settings } = JSON.parse(
      (await command({ cwd, env: { REGISTRY: 'r.example' } }, 'import', 'regsync', 'regsync.yml', '--json')).stdout,
    ) as { readonly settings: string };
    expect(made.stderr).toContain(`for slipway.config.yaml:\n  ${settings.trimEnd().replaceAll('\n', '\n  ')}\n`);
    writeFileSync(join(cwd, 'slipway.config.yaml'), settings);
    expect(await command({ cwd }, 'plan')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('r.example/alpine:3.20 ← docker.io/library/alpine:3.20 (trust: copy'),
    });
    expect(
      await command({ cwd, env: { REGISTRY: 'r.example' } }, 'import', 'regsync', 'regsync.yml', '--strict'),
    ).toMatchObject({ code: 1 });
  });

  it('with --strict counts what is lost, and no notes', async () => {
    const carried = STEPS.replace('interval: 1h, ', 'parallel: 3, userAgent: x, ');
    const strict = async (file: string) =>
      command({ cwd: folderWith({ 'regsync.yml': file }), env: { REGISTRY: 'r.example' } }, ...STRICT);
    const made = await strict(carried);
    expect(made).toMatchObject({ code: 0, stderr: expect.stringContaining('note: defaults.parallel: ') });
    expect((await strict(STEPS)).code).toBe(1);
  });

  it('is no success when nothing could be taken over', async () => {
    const cwd = folderWith({ 'regsync.yml': STEPS });
    const made = await command({ cwd }, 'import', 'regsync', 'regsync.yml', '--json');
    expect(made).toMatchObject({ code: 1, stderr: expect.stringContaining('set REGISTRY') });
    expect(answerOf(made)).toMatchObject({ ok: false, config: expect.stringContaining('sync: []') });
    expect(
      await command(
        { cwd: folderWith({ 'sync.yml': 'r.example: {}\n' }) },
        'import',
        'skopeo',
        'sync.yml',
        '--destination',
        'r.example',
      ),
    ).toMatchObject({ code: 0 });
  });
});
