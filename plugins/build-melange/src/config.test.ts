import { describe, expect, it } from 'vitest';
import { withLocalPaths } from './config.ts';

function contents(lines: string): string {
  return `# kept\npackage: { name: x, version: 1.10 }\nenvironment:\n  contents:\n${lines}`;
}

describe('withLocalPaths', () => {
  it('leaves a config without local paths as it is, to the byte', () => {
    const text = contents(
      "    repositories: [ 'https://a.example/main' ,  '@edge https://b.example/edge']\n    keyring: [https://a.example/k.rsa.pub]\n",
    );
    expect(withLocalPaths('p.yaml', text, ['../needs-1'])).toEqual({
      ok: true,
      value: { text, files: [], keys: new Set(['k.rsa.pub']) },
    });
  });

  it('puts the needed packages in the place of local repositories, by the same tag', () => {
    const text = contents(
      "    repositories:\n      - https://a.example/main\n      - '@local /github/workspace/packages'\n      - ./packages\n",
    );
    const made = withLocalPaths('p.yaml', text, ['../needs-1', '../needs-2']);
    expect(made.ok && made.value.text).toBe(
      contents(
        '    repositories:\n      - https://a.example/main\n      - "@local ../needs-1"\n      - "@local ../needs-2"\n      - ../needs-1\n      - ../needs-2\n',
      ),
    );
    const none = withLocalPaths('p.yaml', text, []);
    expect(none.ok && none.value.text).toBe(contents('    repositories:\n      - https://a.example/main\n'));
  });

  it('leaves every number as it is written: versions and commits are text', () => {
    const rest = 'vars: { a: 010, commit: 1234567890123456789012345678901234567890, b: 1.10, c: +1 }\n';
    const made = withLocalPaths('p.yaml', contents(`    repositories:\n      - ./packages\n${rest}`), ['../needs-1']);
    expect(made.ok && made.value.text).toBe(contents(`    repositories:\n      - ../needs-1\n${rest}`));
  });

  it('names local keys from the root, and says which they are', () => {
    const text = contents(
      '    keyring:\n      - /github/workspace/keys/a.rsa.pub\n      - keys/b.rsa.pub\n      - https://a.example/c.rsa.pub\n',
    );
    const made = withLocalPaths('p.yaml', text, []);
    expect(made.ok && made.value.files).toEqual(['keys/a.rsa.pub', 'keys/b.rsa.pub']);
    expect(made.ok && made.value.text).not.toContain('/github/workspace');
  });

  it.each(['[', '- a', '', 'a: {'])('refuses %j', (text) => {
    expect(withLocalPaths('p.yaml', text, [])).toMatchObject({ ok: false, failure: { reason: 'config' } });
  });
});
