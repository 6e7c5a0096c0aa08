import { describe, expect, it } from 'vitest';
import { packageName, parseMelange } from './melange.ts';

const TEXT = `
package:
  name: hello
  version: 1.10
  epoch: 3
  dependencies:
    provides:
      - greeting=\${{package.full-version}}
    runtime: [libhello]
vars:
  lang: c
environment:
  contents:
    packages: [busybox, 'build-\${{vars.lang}}', 'lib@local', '!nothing', 'pin=2-r0', '\${{unknown}}']
pipeline:
  - uses: fetch
    needs: { packages: [wget] }
  - pipeline:
      - runs: make
        needs:
          packages: [make]
data:
  - name: langs
    items: { de: German, fr: French }
subpackages:
  - name: \${{package.name}}-dev
    dependencies:
      provides: ['hello-headers=\${{package.version}}']
    pipeline:
      - needs: { packages: [split] }
  - range: langs
    name: hello-\${{range.key}}
`;

function parse(text: string): ReturnType<typeof parseMelange> {
  return parseMelange('pkg.yaml', text, '/repo/pkg.yaml');
}

describe('parseMelange', () => {
  it('reads what a config makes and needs', () => {
    expect(parse(TEXT)).toEqual({
      ok: true,
      value: {
        config: 'pkg.yaml',
        version: '1.10',
        packages: [
          { name: 'hello', provides: ['greeting'], runtime: ['libhello'] },
          { name: 'hello-dev', provides: ['hello-headers'], runtime: [] },
          { name: 'hello-de', provides: [], runtime: [] },
          { name: 'hello-fr', provides: [], runtime: [] },
        ],
        needs: ['busybox', 'build-c', 'lib', 'pin', '${{unknown}}', 'wget', 'make', 'split'],
        repositories: [],
        keys: [],
        pipelines: [],
      },
    });
  });

  it.each([
    // from the version 1.2.3
    [String.raw`^(\d+)\.(\d+)\..*$`, '$1-${2}', '1-2'],
    [String.raw`(?P<major>\d+)\..*`, 'v${major}$$', 'v1$'],
    [String.raw`\.`, '_', '1_2_3'],
    [String.raw`^(\d+)\..*$`, '$1x', ''],
    ['[.]3$', '', '1.2'],
    ['x*', '-', '-1-.-2-.-3-'],
    ['no', '$1', '1.2.3'],
  ])('makes variables of others as Go would: %s by %s', (match, replace, made) => {
    const transforms = [
      { from: '${{package.version}}', match, replace, to: 'made' },
      { from: '${{vars.made}}', match: '^', replace: '=', to: 'again' },
      { from: 'x', match: '(', replace: '', to: 'broken' },
    ];
    const subpackages = ['made', 'again', 'broken'].map((name) => ({ name: `x\${{vars.${name}}}` }));
    const config = { package: { name: 'x', version: '1.2.3' }, 'var-transforms': transforms, subpackages };
    const parsed = parse(JSON.stringify(config));
    const names = parsed.ok ? parsed.value.packages.map(({ name }) => name) : [];
    expect(names).toEqual(['x', `x${made}`, `x=${made}`, 'x${{vars.broken}}']);
  });

  it.each([
    ['target-architecture: [x86_64, aarch64]', ['x86_64', 'aarch64']],
    ['target-architecture: [all]', undefined],
    ['target-architecture: []', undefined],
    ['description: any', undefined],
  ])('takes %j for the architectures %j', (line, architectures) => {
    const parsed = parse(`package:\n  name: x\n  version: 1\n  ${line}\n`);
    expect(parsed.ok && parsed.value.architectures).toEqual(architectures);
  });

  it('lists the remote repositories of the build environment, as their indexes are found below them', () => {
    const contents =
      "repositories: ['https://a.example/v${{vars.release}}/', '@edge http://b.example/edge', '@local /github/workspace/packages']";
    const parsed = parse(
      `package: {name: x, version: 1}\nvars: {release: 3.20}\nenvironment:\n  contents:\n    ${contents}\n`,
    );
    expect(parsed.ok && parsed.value.repositories).toEqual(['https://a.example/v3.20', 'http://b.example/edge']);
  });

  it('lists the keys that are files, from the root', () => {
    const keyring = "['https://a.example/a.pub', keys/b.pub, /github/workspace/keys/c.pub]";
    const parsed = parse(`package: {name: x, version: 1}\nenvironment:\n  contents: {keyring: ${keyring}}\n`);
    expect(parsed.ok && parsed.value.keys).toEqual(['keys/b.pub', 'keys/c.pub']);
  });

  it.each(['repositories', 'build_repositories', 'keyring'])(
    'refuses a login in %s, which a package and what is attached to images would show',
    (key) => {
      for (const line of ['https://me:hush@a.example/main', "'@edge https://${{vars.who}}@a.example/edge'"]) {
        const parsed = parse(
          `package: {name: x, version: 1}\nvars: {who: hush}\nenvironment:\n  contents:\n    ${key}:\n      - ${line}\n`,
        );
        expect(parsed).toMatchObject({ ok: false, failure: { reason: 'config', at: { line: 6 } } });
        expect(JSON.stringify(parsed)).not.toContain('hush');
      }
    },
  );

  it.each([
    ['package: {name: [', 1],
    ['package:\n  name: x\n  name: y\n', 3],
    ['package: {version: 1}', 1],
    ['package: {name: x}', 1],
    ['', 1],
    ['- a', 1],
    ['a: &a [x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: *c', 1],
  ])('refuses %j with a position', (text, line) => {
    const parsed = parse(text);
    expect(parsed).toMatchObject({ ok: false, failure: { reason: 'config', at: { file: '/repo/pkg.yaml' } } });
    expect(!parsed.ok && parsed.failure.at?.line).toBe(line);
    expect(!parsed.ok && parsed.failure.message).not.toContain('\n');
  });

  it('reads a pipeline that holds itself once', () => {
    const steps = '&steps [{ needs: { packages: [make] } }, { pipeline: *steps }]';
    const parsed = parseMelange('a.yaml', `package: { name: a, version: 1 }\npipeline: ${steps}\n`, '/r/a.yaml');
    expect(parsed).toMatchObject({ ok: true, value: { needs: ['make'] } });
  });

  it('survives what is nested deeper than the stack', () => {
    expect(parse('['.repeat(100_000))).toMatchObject({ ok: false, failure: { reason: 'config' } });
  });

  it('survives fields of any shape', () => {
    const text =
      'package: {name: x, version: 1, dependencies: [a]}\nenvironment: text\npipeline: {a: b}\nsubpackages: [null, text, {name: [a]}]\nvars: [1]';
    expect(parse(text)).toMatchObject({ ok: true, value: { packages: [{ name: 'x' }], needs: [] } });
  });
});

it.each([
  ['hello', 'hello'],
  ['hello@local', 'hello'],
  ['hello~1.2', 'hello'],
  ['so:libc.so.6', 'so:libc.so.6'],
  ['hello >= 1', 'hello'],
  ['!hello', undefined],
  ['', undefined],
])('%j names the package %j', (text, name) => {
  expect(packageName(text)).toBe(name);
});
