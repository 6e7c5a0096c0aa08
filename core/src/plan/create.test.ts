import { describe, expect, it } from 'vitest';
import { configFailure, fail, ok } from '../failure.ts';
import type { Mode } from '../plugin/api.ts';
import type { Plan, Task } from './model.ts';
import { checkOrder } from './rules.ts';
import { apkoMode, build, dockerMode, mistakes, onMain, planned, planOf, reference, settings, sync } from './sample.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

function chain(plan: Plan, entry: string): readonly string[] {
  return plan.tasks.filter((task) => task.entry === entry).map((task) => task.id.slice(entry.length + 1));
}

function task(plan: Plan, id: string): Task {
  const found = plan.tasks.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no task ${id}`);
  return found;
}

function entry(plan: Plan, id: string): Plan['entries'][number] {
  const found = plan.entries.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no entry ${id}`);
  return found;
}

const FULL_SYNC = ['probe', 'resolve', 'copy', 'scan', 'sbom', 'gate', 'sign', 'attach', 'verify', 'tag'];

describe('chains', () => {
  it('of a sync', async () => {
    const { plan } = await planned([sync('alpine:3.20', 'r.example/alpine:3.20')]);
    const id = 'sync:r.example/alpine:3.20';
    expect(chain(plan, id)).toEqual(FULL_SYNC);
    expect(plan.entries).toEqual([
      {
        id,
        kind: 'sync',
        source: 'docker.io/library/alpine:3.20',
        destination: 'r.example/alpine:3.20',
        targets: ['r.example/alpine:3.20'],
        at: 'config.yaml:2:5',
        needs: [],
        trust: 'full',
      },
    ]);
    expect(plan.tasks.map((each) => each.contract)).toEqual([
      'core.probe@1',
      'core.resolve@1',
      'image.copy@1',
      'image.scan@1',
      'sbom.make@1',
      'core.gate@1',
      'statement.sign@1',
      'core.attach@1',
      'core.verify@1',
      'core.tag@1',
    ]);
    expect(task(plan, `${id}#sign`).needs).toEqual(
      ['copy', 'gate', 'resolve', 'sbom', 'scan'].map((step) => `${id}#${step}`),
    );
  });

  it('of builds, by mode, with the packages they take', async () => {
    const { plan, packages } = await planned(
      [
        build('a/image.yaml', 'r.example/a:1', { melangeConfigs: ['a/pkg.yaml'] }),
        build('plain.yaml', 'r.example/plain:1'),
        build('d/Dockerfile', 'r.example/d:1', { platforms: [{ os: 'linux', architecture: 'arm64', variant: 'v8' }] }),
      ],
      {
        'a/image.yaml': 'hello',
        'a/pkg.yaml': 'package: {name: hello, version: 1}',
        'plain.yaml': 'busybox',
        'd/Dockerfile': 'FROM alpine\n',
      },
    );
    expect(plan.entries.map((each) => each.mode)).toEqual(['melange+apko', 'apko', 'docker']);
    expect(chain(plan, 'build:r.example/a:1')).toEqual(['probe', 'resolve', 'build', 'push', ...FULL_SYNC.slice(3)]);
    expect(task(plan, 'build:r.example/a:1#build')).toMatchObject({
      contract: 'image.build@1/apko',
      needs: ['build:r.example/a:1#resolve', 'package:a/pkg.yaml'],
      input: { packages: [{ $out: 'package:a/pkg.yaml', path: 'repository' }] },
    });
    expect(task(plan, 'build:r.example/d:1#build')).toMatchObject({
      contract: 'image.build@1/docker',
      input: { platforms: ['linux/arm64/v8'] },
    });
    expect(task(plan, 'package:a/pkg.yaml')).toEqual({
      id: 'package:a/pkg.yaml',
      contract: 'package.build@1',
      entry: null,
      input: { config: 'a/pkg.yaml', architectures: ['amd64'], repositories: [] },
      needs: [],
    });
    expect([...packages.keys()]).toEqual(['package:a/pkg.yaml']);
  });

  it('of a mirror: a copy and a tag, by the first pattern that matches', async () => {
    const trust = [
      { match: 'r.example/keep:*', level: 'full' },
      { match: 'sync:r.example/*', level: 'copy' },
    ] as const;
    const { plan } = await planned(
      [sync('alpine', 'r.example/keep:1'), sync('alpine', 'r.example/deep/m:1')],
      {},
      { settings: settings(trust) },
    );
    expect(plan.entries.map((each) => each.trust)).toEqual(['full', 'copy']);
    expect(chain(plan, 'sync:r.example/deep/m:1')).toEqual(['probe', 'resolve', 'copy', 'tag']);
  });
});

describe('retags', () => {
  const base = build('Dockerfile', 'r.example/app:1');
  const files = { Dockerfile: 'FROM alpine' };

  it('in the same repository moves the tag only; elsewhere copies and carries the attachments', async () => {
    const { plan } = await planned(
      [sync('r.example/app:1', 'r.example/app:stable'), sync('r.example/app:1', 'r.example/other:1'), base],
      files,
    );
    expect(chain(plan, 'sync:r.example/app:stable')).toEqual(['probe', 'resolve', 'gate', 'verify', 'tag']);
    expect(chain(plan, 'sync:r.example/other:1')).toEqual([
      'probe',
      'resolve',
      'copy',
      'gate',
      'attach',
      'verify',
      'tag',
    ]);
    expect(entry(plan, 'sync:r.example/app:stable')).toMatchObject({ needs: [base.id], retagOf: base.id });
    expect(task(plan, 'sync:r.example/app:stable#probe')).toMatchObject({
      needs: [`${base.id}#tag`],
      input: { of: { $out: `${base.id}#tag`, path: 'digest' } },
    });
  });

  it('of a retag is judged as the first', async () => {
    const { plan } = await planned(
      [sync('r.example/mid:1', 'r.example/last:1'), sync('r.example/app:1', 'r.example/mid:1'), base],
      files,
    );
    expect(entry(plan, 'sync:r.example/last:1')).toMatchObject({ needs: ['sync:r.example/mid:1'], retagOf: base.id });
  });

  it('by digest has no edge, and is judged as the build all the same, also where a retag brought it', async () => {
    const carried = sync('r.example/app:1', 'r.example/mid:1');
    const pinned = [
      sync(`r.example/app@${DIGEST}`, 'r.example/app:old'),
      sync(`r.example/mid@${DIGEST}`, 'r.example/mid:old'),
    ];
    const { plan } = await planned([...pinned, carried, base], files);
    for (const { id } of pinned) {
      expect(entry(plan, id)).toMatchObject({ needs: [], retagOf: base.id });
      expect(task(plan, `${id}#probe`)).toMatchObject({ needs: [], input: { pinned: DIGEST } });
      expect(chain(plan, id)).toEqual(['probe', 'resolve', 'gate', 'verify', 'tag']);
    }
  });

  const verify = { accept: [{ kind: 'key', publicKey: 'PEM', fingerprint: 'a' }] } as const;

  it('by digest may have to be signed by somebody, which is looked at before the tag moves', async () => {
    const entries = [
      sync(`r.example/app@${DIGEST}`, 'r.example/app:old', { verify }),
      sync(`r.example/app@${DIGEST}`, 'r.example/other:old', { verify }),
    ];
    const { plan } = await planned([...entries, base], files);
    expect(entries.map(({ id }) => chain(plan, id))).toEqual([
      ['probe', 'resolve', 'admit', 'gate', 'verify', 'tag'],
      ['probe', 'resolve', 'admit', 'copy', 'gate', 'attach', 'verify', 'tag'],
    ]);
    const admitted = task(plan, 'sync:r.example/app:old#admit');
    expect(admitted.contract).toBe('image.verify@1');
    const early = plan.tasks.map((each) =>
      each.entry === admitted.entry ? { ...each, needs: each.needs.filter((need) => need !== admitted.id) } : each,
    );
    expect(checkOrder(plan)).toEqual([]);
    expect(checkOrder({ ...plan, tasks: early })).not.toEqual([]);
  });

  it('by tag are asked nothing that the other entry answers', async () => {
    const first = sync('alpine', 'r.example/alpine:1');
    const asked = [
      sync('r.example/app:1', 'r.example/app:stable', { verify }),
      sync('r.example/alpine:1', 'r.example/alpine:stable', { verify }),
    ];
    const result = await planOf([base, first, ...asked], files);
    expect(result.ok ? [] : result.failures.map(({ hint }) => hint)).toEqual([
      'leave it out: what a build publishes was signed here, and that is verified',
      `ask for it at "${first.id}"`,
    ]);
  });

  it('of a mirror into full trust goes through the whole chain, after the mirror', async () => {
    const mirror = sync('alpine', 'r.example/mirror:1');
    const { plan } = await planned(
      [mirror, sync('r.example/mirror:1', 'r.example/trusted:1')],
      {},
      {
        settings: settings([{ match: '**/mirror:*', level: 'copy' }]),
      },
    );
    const id = 'sync:r.example/trusted:1';
    expect(chain(plan, id)).toEqual(FULL_SYNC);
    expect(entry(plan, id).retagOf).toBeUndefined();
    expect(task(plan, `${id}#probe`).needs).toEqual([`${mirror.id}#tag`]);
  });

  it('follows --to: sources and FROM name the entry by what the config has', async () => {
    const mapped = build('Dockerfile', 'localhost:5000/app:1', { written: 'r.example/app:1' });
    const retag = sync('localhost:5000/app:1', 'localhost:5000/app:2', { written: 'r.example/app:2' });
    const child = build('child/Dockerfile', 'localhost:5000/child:1', { written: 'r.example/child:1' });
    const { plan } = await planned([mapped, retag, child], { ...files, 'child/Dockerfile': 'FROM r.example/app:2' });
    expect(chain(plan, retag.id)).toEqual(['probe', 'resolve', 'gate', 'verify', 'tag']);
    expect(entry(plan, child.id).needs).toEqual([retag.id]);
  });
});

describe('edges between builds', () => {
  it('come from FROM, by any target of an entry; a digest or a stranger is none', async () => {
    const target = {
      destination: { ...reference('r.example/base:extra'), kind: 'tagged' as const, tag: 'extra' as never },
      templated: false,
    };
    const base = build('base/Dockerfile', 'r.example/base:1');
    const [first] = base.targets;
    const child = build('Dockerfile', 'r.example/child:1');
    const { plan } = await planned([child, { ...base, targets: [first, target] }], {
      Dockerfile: `FROM r.example/base:extra\nFROM r.example/base@${DIGEST}\nFROM r.example/base:unknown\n`,
      'base/Dockerfile': 'FROM alpine',
    });
    expect(entry(plan, child.id).needs).toEqual([base.id]);
    expect(task(plan, `${child.id}#probe`)).toMatchObject({
      input: { bases: { 'r.example/base:extra': { $out: `${base.id}#tag`, path: 'digest' } } },
    });
    expect(task(plan, `${child.id}#probe`).needs).toEqual([`${base.id}#tag`]);
    expect(task(plan, `${child.id}#build`)).toMatchObject({
      input: { images: { 'r.example/base:extra': 'r.example/base:extra' } },
    });
  });
});

describe('packages', () => {
  const pkg = (name: string, more = ''): string => `package: {name: ${name}, version: 1${more}}\n`;
  const needs = (...names: string[]): string => `environment: {contents: {packages: [${names.join(', ')}]}}\n`;

  it('need the configs whose package, subpackage or provides they name, and what those bring along', async () => {
    const { plan } = await planned(
      [build('i.yaml', 'r.example/i:1', { melangeConfigs: ['app.melange', 'lib.melange', 'rt.melange'] })],
      {
        'i.yaml': 'app@local\n',
        'app.melange': pkg('app') + needs('lib-dev', 'busybox', 'app'),
        'lib.melange': `${pkg('lib')}subpackages: [{name: '\${{package.name}}-dev', dependencies: {runtime: [virtual]}}]`,
        'rt.melange': pkg('rt', ", dependencies: {provides: ['virtual=1']}"),
      },
    );
    expect(task(plan, 'package:app.melange').needs).toEqual(['package:lib.melange', 'package:rt.melange']);
    expect(task(plan, 'package:lib.melange').needs).toEqual([]);
    expect(task(plan, 'build:r.example/i:1#build').input).toMatchObject({
      packages: ['app', 'lib', 'rt'].map((name) => ({ $out: `package:${name}.melange`, path: 'repository' })),
    });
  });

  it('puts a package after those that a pipeline of its own needs, and says which these are', async () => {
    const { plan, packages } = await planned(
      [build('i.yaml', 'r.example/i:1', { melangeConfigs: ['app.melange', 'lib.melange'] })],
      {
        'i.yaml': 'app',
        'app.melange': `${pkg('app')}pipeline: [{uses: make}]`,
        'lib.melange': pkg('lib'),
        'pipelines/make.yaml': 'needs: {packages: [lib]}\npipeline: [{runs: make}]',
      },
    );
    expect(task(plan, 'package:app.melange').needs).toEqual(['package:lib.melange']);
    expect(packages.get('package:app.melange')?.pipelines).toEqual(['pipelines/make.yaml']);
  });

  it('are built for those architectures of an image that they are made for', async () => {
    const both = [
      { os: 'linux', architecture: 'amd64' },
      { os: 'linux', architecture: 'arm64' },
    ];
    const entries = [build('a.yaml', 'r.example/a:1', { melangeConfigs: ['p.melange'], platforms: both })];
    const made = (target: string): Record<string, string> => ({
      'a.yaml': '',
      'p.melange': `package: {name: p, version: 1, target-architecture: [${target}]}`,
    });
    const { plan } = await planned(entries, made('aarch64, s390x'));
    expect(plan.tasks[0]).toMatchObject({ id: 'package:p.melange', input: { architectures: ['arm64'] } });
    expect(await mistakes(entries, made('s390x'))).toEqual([
      '2: "build:r.example/a:1" is for amd64, arm64, and "p.melange" makes packages for s390x only',
    ]);
  });

  it('are built once for all images that share them, for the architectures of all', async () => {
    const shared = { melangeConfigs: ['p.melange'] };
    const { plan } = await planned(
      [
        build('a.yaml', 'r.example/a:1', { ...shared, platforms: [{ os: 'linux', architecture: 'arm64' }] }),
        build('b.yaml', 'r.example/b:1', shared),
      ],
      { 'a.yaml': 'p', 'b.yaml': 'p', 'p.melange': pkg('p') + needs('q'), 'q.melange': pkg('q') },
    );
    expect(plan.tasks.filter((each) => each.entry === null)).toMatchObject([
      { id: 'package:p.melange', input: { architectures: ['amd64', 'arm64'] }, needs: [] },
    ]);
  });

  it("of another entry are an edge when exactly one config makes them; the image's own config goes before", async () => {
    const { plan } = await planned(
      [
        build('a.yaml', 'r.example/a:1', { melangeConfigs: ['one.melange'] }),
        build('b.yaml', 'r.example/b:1', { melangeConfigs: ['two.melange'] }),
        build('c.yaml', 'r.example/c:1'),
      ],
      {
        'a.yaml': 'same',
        'b.yaml': 'same',
        'c.yaml': 'only',
        'one.melange': pkg('same'),
        'two.melange': `${pkg('same')}subpackages: [{name: only}]`,
      },
    );
    const taken = (id: string): readonly string[] =>
      task(plan, `${id}#build`).needs.filter((need) => need.startsWith('package:'));
    expect(['a', 'b', 'c'].map((name) => taken(`build:r.example/${name}:1`))).toEqual([
      ['package:one.melange'],
      ['package:two.melange'],
      ['package:two.melange'],
    ]);
  });

  it('that two configs make for one image are a mistake, told once', async () => {
    const found = await mistakes(
      [build('a.yaml', 'r.example/a:1', { melangeConfigs: ['one.melange', 'two.melange'] })],
      {
        'a.yaml': 'same',
        'one.melange': pkg('same'),
        'two.melange': pkg('two', ', dependencies: {provides: [same=1]}'),
      },
    );
    expect(found).toEqual([
      '2: "build:r.example/a:1" takes the package "same", which "one.melange" and "two.melange" all make',
    ]);
  });

  it('that need each other are a mistake with the whole path', async () => {
    const found = await mistakes(
      [build('a.yaml', 'r.example/a:1', { melangeConfigs: ['one.melange', 'two.melange'] })],
      {
        'a.yaml': 'one',
        'one.melange': pkg('one') + needs('two'),
        'two.melange': pkg('two') + needs('one'),
      },
    );
    expect(found).toEqual([
      "2: these melange configs need each other's packages: one.melange → two.melange → one.melange",
    ]);
  });
});

describe('mistakes', () => {
  const claimAll: Mode = { ...dockerMode, name: 'other', claims: () => true };
  const throwing: Mode = {
    ...apkoMode,
    name: 'throws',
    claims: (source) => source === 'throws',
    inputs: () => {
      throw new Error('first line\n    at secret (file.ts:1:1)');
    },
  };

  it('are told all at once, each at its entry', async () => {
    const found = await mistakes(
      [
        build('nobody', 'r.example/a:1'),
        build('x', 'r.example/b:1', { mode: 'dokcer' }),
        build('missing/Dockerfile', 'r.example/c:1'),
        sync('r.example/y:1', 'r.example/x:1'),
        sync('r.example/x:1', 'r.example/y:1'),
        sync('r.example/self:1', 'r.example/self:1'),
        build('throws', 'r.example/d:1'),
        build('e.yaml', 'r.example/e:1', { melangeConfigs: ['gone.melange'] }),
      ],
      { 'e.yaml': '' },
      { modes: [dockerMode, apkoMode, throwing], only: ['nothing*'] },
    );
    expect(found).toEqual([
      '2: no build mode claims "nobody"',
      '4: there is no build mode "dokcer"',
      '6: there is no "missing/Dockerfile"',
      '8: these entries need each other: sync:r.example/x:1 → sync:r.example/y:1 → sync:r.example/x:1',
      '12: this entry needs itself: sync:r.example/self:1 → sync:r.example/self:1',
      '14: build mode "throws" failed on "throws": first line',
      '16: there is no "gone.melange"',
      '-: --only "nothing*" matches no entry',
    ]);
  });

  it('in a file that several sources include are told once', async () => {
    const at = { file: 'base.yaml', line: 3, column: 1 };
    const including: Mode = {
      ...apkoMode,
      inputs: async () => fail(configFailure('base.yaml is wrong', undefined, at)),
    };
    const entries = [build('a.yaml', 'r.example/a:1'), build('b.yaml', 'r.example/b:1')];
    expect(await mistakes(entries, {}, { modes: [including] })).toEqual(['3: base.yaml is wrong']);
  });

  it('name all modes that claim a source; mode: decides', async () => {
    const modes = { modes: [dockerMode, claimAll] };
    const files = { Dockerfile: 'FROM alpine' };
    expect(await mistakes([build('Dockerfile', 'r.example/a:1')], files, modes)).toEqual([
      '2: build modes "docker" and "other" all claim "Dockerfile"',
    ]);
    const { plan } = await planned([build('Dockerfile', 'r.example/a:1', { mode: 'other' })], files, modes);
    expect(plan.entries[0]?.mode).toBe('other');
  });

  it('name a key of another mode than the one that claims the source', async () => {
    const labelled: Mode = { ...claimAll, claims: () => false, properties: { label: { type: 'string' } } };
    const entry = build('Dockerfile', 'r.example/a:1', { options: { label: 'x' } });
    expect(await mistakes([entry], { Dockerfile: '' }, { modes: [dockerMode, labelled] })).toEqual([
      '2: the key "label" belongs to the mode other, not to docker',
    ]);
  });

  it('of Dockerfiles that are FROM each other have the whole path', async () => {
    const found = await mistakes(
      ['a', 'b', 'c'].map((name) => build(`${name}/Dockerfile`, `r.example/${name}:1`)),
      {
        'a/Dockerfile': 'FROM r.example/c:1',
        'b/Dockerfile': 'FROM r.example/a:1',
        'c/Dockerfile': 'FROM r.example/b:1',
      },
    );
    expect(found).toEqual([
      '2: these entries need each other: build:r.example/a:1 → build:r.example/c:1 → build:r.example/b:1 → build:r.example/a:1',
    ]);
  });

  it('ask a mode once for each entry', async () => {
    let asked = 0;
    const counting: Mode = {
      ...dockerMode,
      inputs: async (each, files) => {
        asked += 1;
        return dockerMode.inputs(each, files);
      },
    };
    await planned(
      [build('Dockerfile', 'r.example/a:1'), build('Dockerfile', 'r.example/b:1')],
      { Dockerfile: 'FROM r.example/a:2' },
      { modes: [counting] },
    );
    expect(asked).toBe(2);
  });

  it('of melange without a platform do not become all architectures', async () => {
    const noPlatforms: Mode = {
      ...apkoMode,
      inputs: async () => ok({ files: [], packageIndexes: [], bases: [], platforms: [], packages: [], options: {} }),
    };
    const entries = [build('a.yaml', 'r.example/a:1', { melangeConfigs: ['p.melange'] })];
    const found = await mistakes(entries, { 'p.melange': 'package: {name: p, version: 1}' }, { modes: [noPlatforms] });
    expect(found).toEqual(['2: "build:r.example/a:1" takes melange packages, but nothing says for which platforms']);
  });
});

describe('buildOnMainOnly', () => {
  const base = build('Dockerfile', 'r.example/base:1', { buildOnMainOnly: true, melangeConfigs: ['p.melange'] });
  const retag = sync('r.example/base:1', 'r.example/base:2');
  const child = build('child/Dockerfile', 'r.example/child:1');
  const files = {
    Dockerfile: 'FROM alpine',
    'child/Dockerfile': 'FROM r.example/base:1',
    'p.melange': 'package: {name: p, version: 1}',
  };

  it('builds on main', async () => {
    const { plan } = await planned([base, retag, child], files);
    expect(plan.entries.map((each) => each.skip)).toEqual([undefined, undefined, undefined]);
  });

  it('skips elsewhere, with its retags; a Dockerfile on it takes what its tag names now', async () => {
    const { plan } = await planned([base, retag, child], files, { context: { ...onMain, branch: 'x' } });
    expect(plan.entries.map((each) => each.skip)).toEqual([
      'buildOnMainOnly: this is branch "x", not "main"',
      'its source build:r.example/base:1 is skipped: buildOnMainOnly: this is branch "x", not "main"',
      undefined,
    ]);
    expect(new Set(plan.tasks.map((each) => each.entry))).toEqual(new Set([child.id]));
    expect(task(plan, `${child.id}#probe`)).toMatchObject({
      needs: [],
      input: { current: { 'r.example/base:1': 'r.example/base:1' } },
    });
    expect(entry(plan, child.id).needs).toEqual([]);
  });

  it('takes a detached head for no branch', async () => {
    const { plan } = await planned([base], files, { context: { date: '2026-11-23' } });
    expect(plan.entries[0]?.skip).toBe('buildOnMainOnly: this is no branch, not "main"');
  });
});
