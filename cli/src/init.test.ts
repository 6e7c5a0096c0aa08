/** `init` and `completion`: what they write works, and nothing is written over. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { answerOf, command, folderWith } from '../testing.ts';

describe('init', () => {
  it('writes a repository that plans, passes the checks, and has the workflows of its config', async () => {
    const cwd = folderWith({ '.git/HEAD': 'ref: refs/heads/main\n' });
    const made = await command({ cwd }, 'init', 'new', '--json');
    expect(answerOf(made)).toMatchObject({
      ok: true,
      files: expect.arrayContaining(['config.yaml', '.github/workflows/build.yml']),
    });
    const around = { cwd: join(cwd, 'new') };
    expect(await command(around, 'plan')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('ghcr.io/example/images/hello:latest'),
    });
    expect(await command(around, 'check', '--offline')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('0 errors, 0 warnings'),
    });
    expect(await command(around, 'emit', 'github', '--check')).toMatchObject({ code: 0 });
  });

  it('takes the names of the checkout, where they are on GitHub', async () => {
    const url = 'git@github.com:Team-A/base.images.git';
    const cwd = folderWith({
      '.git/config': `[core]\n\tbare = false\n[remote "origin"]\n\tfetch = x\n\turl = ${url}\n`,
    });
    const made = await command({ cwd }, 'init');
    expect(made).toMatchObject({ code: 0, stdout: expect.not.stringContaining('in place of example') });
    // No package registry has the packages: plain `npm install` would fail, or fetch what somebody else calls so.
    expect(made.stdout).not.toMatch(/npm install(?! --save-dev \.\/)/);
    expect(readFileSync(join(cwd, 'config.yaml'), 'utf8')).toContain(
      'destination: ghcr.io/team-a/base.images/hello:latest',
    );
    expect(readFileSync(join(cwd, 'slipway.config.yaml'), 'utf8')).toContain('Team-A/base\\.images/');
    const odd = folderWith({ '.git/config': '[remote "origin"]\n\turl = https://github.com/a/b"; echo\n' });
    expect((await command({ cwd: odd }, 'init')).stdout).toContain('in place of example');
  });

  it('writes nothing where anything of it is there already', async () => {
    const cwd = folderWith({ 'config.yaml': 'sync: []\n' });
    expect(await command({ cwd }, 'init')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('config.yaml is there already'),
    });
    expect(readdirSync(cwd)).toEqual(['config.yaml']);
    const linked = folderWith({});
    symlinkSync(join(cwd, 'elsewhere'), join(linked, 'slipway.config.yaml'));
    expect(await command({ cwd: linked }, 'init')).toMatchObject({ code: 2 });
    expect(readdirSync(cwd)).toEqual(['config.yaml']);
    expect(readdirSync(linked)).toEqual(['slipway.config.yaml']);
  });

  it.each(['.github/workflows/build.yml', 'images/hello/apko.yaml'])(
    'writes nothing where %s is there, and everything once it is away',
    async (path) => {
      const cwd = folderWith({ [path]: 'mine\n' });
      const before = readdirSync(cwd, { recursive: true });
      expect(await command({ cwd }, 'init')).toMatchObject({
        code: 2,
        stderr: expect.stringContaining(`${path} is there already`),
      });
      expect(readdirSync(cwd, { recursive: true })).toEqual(before);
      rmSync(join(cwd, path));
      expect(await command({ cwd }, 'init')).toMatchObject({ code: 0 });
    },
  );

  it.each(['images', '.github'])('writes nothing where %s is a file', async (path) => {
    const cwd = folderWith({ [path]: 'mine\n' });
    expect(await command({ cwd }, 'init')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${cwd} cannot be written (ENOTDIR)`),
    });
    expect(readdirSync(cwd)).toEqual([path]);
    expect(await command({ cwd }, 'init', path)).toMatchObject({ code: 2 });
  });

  it('leaves nothing in the folder for temporary files, also of one that was killed', async () => {
    const cwd = folderWith({ 'tmp/slipway-init-killed.owner': '{}', 'tmp/slipway-init-killed/config.yaml': '' });
    vi.stubEnv('TMPDIR', join(cwd, 'tmp'));
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await command({ cwd }, 'init', 'new')).toMatchObject({ code: 0 });
    expect(readdirSync(join(cwd, 'tmp'))).toEqual([]);
  });

  it('says so where the workflows cannot be made ready', async () => {
    const cwd = folderWith({ file: '' });
    vi.stubEnv('TMPDIR', join(cwd, 'file'));
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await command({ cwd }, 'init')).toMatchObject({ code: 2, stderr: expect.stringContaining('TMPDIR') });
    expect(readdirSync(cwd)).toEqual(['file']);
  });

  it('says that workflows below the root of a repository never run', async () => {
    const cwd = folderWith({ '.git/config': '' });
    expect((await command({ cwd }, 'init', 'team/images')).stdout).toContain(
      `.github is read in the root of a repository alone, and this one's is ${cwd}`,
    );
    for (const folder of [cwd, join(folderWith({ 'own/.git': 'gitdir: elsewhere' }), 'own')])
      expect((await command({ cwd: folder }, 'init')).stdout).not.toContain('.github is read');
  });

  it('leaves what a new repository has of its own, and says what it lacks', async () => {
    const cwd = folderWith({ '.gitignore': 'mine\n', 'README.md': '' });
    const made = await command({ cwd }, 'init');
    expect(made).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('.gitignore stays as it is: add .slipway/'),
    });
    expect(readFileSync(join(cwd, '.gitignore'), 'utf8')).toBe('mine\n');
  });
});

describe('completion', () => {
  const complete = async (...words: readonly string[]): Promise<readonly string[]> => {
    const cwd = folderWith({ 'file.yaml': '' });
    writeFileSync(join(cwd, 'slipway.bash'), (await command({ cwd }, 'completion', 'bash')).stdout);
    const script = `source ./slipway.bash; COMP_WORDS=(slipway "$@"); COMP_CWORD=$#; _slipway; printf '%s\\n' "\${COMPREPLY[@]}"`;
    return execFileSync('bash', ['-c', script, 'bash', ...words], { cwd, encoding: 'utf8' })
      .trim()
      .split('\n');
  };

  it('in bash knows commands, those below them, options, and the values of options', async () => {
    expect(await complete('pl')).toEqual(['plan', 'plugin']);
    expect(await complete('plugin', '')).toEqual(expect.arrayContaining(['new', 'diff', '--help']));
    expect(await complete('plan', '--form')).toEqual(['--format']);
    expect(await complete('plan', '--format', 'm')).toEqual(['mermaid']);
    expect(await complete('run', '--only', 'x', '--progress', '')).toEqual(['auto', 'tty', 'plain', 'json', 'quiet']);
    expect(await complete('run', '--config', 'f')).toEqual(['file.yaml']);
    expect(await complete('completion', '')).toEqual(expect.arrayContaining(['bash', 'zsh', 'fish']));
    // What stands for the formats of plugins is no word of a command.
    expect(await complete('emit', '')).toEqual(['github', '--help']);
    // The value of an option is no command.
    expect(await complete('run', '--only', 'plan', '--form')).toEqual(['']);
  });

  it('in every shell knows every command', async () => {
    const cwd = folderWith({});
    const help = (await command({ cwd }, '--help')).stdout.split('Commands:\n')[1] ?? '';
    const names = [...help.matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
    expect(names.length).toBeGreaterThan(15);
    for (const shell of ['bash', 'zsh', 'fish']) {
      const script = (await command({ cwd }, 'completion', shell)).stdout;
      for (const name of names) expect(script, shell).toMatch(new RegExp(`\\b${name}\\b`));
    }
  });
});
