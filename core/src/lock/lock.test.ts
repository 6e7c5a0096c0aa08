/** Update asks, apply does not: both against configs as people write them, and a registry that the test holds. */
import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { complaints, digest, hints, options, valueOf } from '../config/fixtures.ts';
import { parseConfig } from '../config/load.ts';
import { ownName } from '../exec/owner.ts';
import { fail, ok } from '../failure.ts';
import { formatReference, type Digest, type Tag } from '../reference.ts';
import { client, lines } from '../registry/test-client.ts';
import { tagsFromRegistry } from '../run/find-tags.ts';
import { expandSelections, selectEach } from '../selection/expand.ts';
import { imported, killedAt } from '../testing/killed-at.ts';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry, type ScriptedRegistry } from '../testing/scripted-registry.ts';
import { applyLock, checkLocked } from './apply.ts';
import { concernedBy } from './concerned.ts';
import { loadLock, saveLock, saveRepins } from './files.ts';
import { formatLock } from './format.ts';
import { lockedEntries } from './lockable.ts';
import type { Lock } from './model.ts';
import type { VerifySource } from './look.ts';
import { updateLock, type UpdateRequest } from './update.ts';

const BOTH = [
  { os: 'linux', architecture: 'arm64' },
  { os: 'linux', architecture: 'amd64' },
];

function config(text: string) {
  return valueOf(parseConfig(text, '/repo/config.yaml', options));
}

async function update(
  text: string,
  request: { lock?: Lock; only?: readonly string[]; verify?: VerifySource; signal?: AbortSignal } = {},
) {
  const { lock, only = [], verify, signal = new AbortController().signal } = request;
  const loaded = config(text);
  const concern = valueOf(concernedBy(loaded, { only, exclude: [] }));
  await using registry = client({ retries: 0 });
  const asked = { ...loaded, selections: loaded.selections.filter(concern.selection) };
  const full: UpdateRequest = {
    config: loaded,
    expansions: await selectEach(asked, tagsFromRegistry(registry)),
    concerned: concern.entry,
    registry,
    signal,
    ...(lock === undefined ? {} : { lock }),
    ...(verify === undefined ? {} : { verify }),
  };
  return await updateLock(full);
}

/** Two plain entries of one source, a pinned one, a selection, and one that takes the first one's image. */
function everything({ host }: ScriptedRegistry, old = digest('0')): string {
  return `sync:
  - { source: '${host}/plain:1', destination: s.example/plain:1 }
  - { source: '${host}/plain:1', destination: s.example/again:1 }
  - { source: '${host}/pinned:1@${old}', destination: s.example/pinned:1 }
  - { source: s.example/plain:1, destination: s.example/retag:1 }
  - { source: '${host}/chosen', destination: 's.example/chosen:{tag}', select: { semver: '>=1', latest: 2 } }
`;
}

function seed(registry: ScriptedRegistry) {
  return {
    plain: seedImage(registry, 'plain', 'one', { tag: '1', platforms: BOTH }).digest,
    pinned: seedImage(registry, 'pinned', 'one', { tag: '1' }).digest,
    chosen: ['1.0.0', '1.1.0', '1.2.0'].map((tag) => seedImage(registry, 'chosen', tag, { tag }).digest),
  };
}

describe('updateLock', () => {
  it('locks sources and selections, repins the config, and asks for as little as it can', async () => {
    await using source = await startScriptedRegistry();
    const digests = seed(source);
    const first = await update(everything(source));
    expect(first.failures).toEqual([]);
    expect(first.stale).toBe(true);
    const { lock } = first;
    const locked = {
      digest: digests.plain,
      platforms: ['linux/amd64', 'linux/arm64'],
      source: `${source.host}/plain:1`,
    };
    expect([...lock.sources.keys()]).toEqual(['sync:s.example/plain:1', 'sync:s.example/again:1']);
    for (const each of lock.sources.values()) expect(each).toMatchObject(locked);
    const selection = lock.selections.get('sync:s.example/chosen:{tag}');
    expect([...(selection?.tags ?? [])].map(([tag, image]) => [tag, image.digest])).toEqual([
      ['1.2.0', digests.chosen[2]],
      ['1.1.0', digests.chosen[1]],
    ]);
    expect(first.repins).toMatchObject([{ from: digest('0'), to: digests.pinned, at: { line: 4 } }]);
    expect(first.changes.map(({ kind, in: where }) => `${kind} ${where}`)).toEqual([
      'new lock',
      'new lock',
      'moved config',
      'new lock',
      'new lock',
    ]);
    const asked = lines(source);
    expect(asked.filter((line) => line === 'HEAD /v2/plain/manifests/1')).toHaveLength(1);
    expect(asked.filter((line) => line.startsWith('GET /v2/plain/manifests/'))).toHaveLength(1);

    const before = source.log.length;
    const again = await update(everything(source, digests.pinned), { lock });
    expect(again).toMatchObject({ stale: false, repins: [], failures: [] });
    expect(formatLock(again.lock)).toBe(formatLock(lock));
    expect(new Set(again.changes.map(({ kind }) => kind))).toEqual(new Set(['same']));
    // Nothing moved: no image is read, and nothing counts as a pull.
    expect(lines(source).slice(before).sort()).toEqual([
      'GET /v2/chosen/tags/list',
      'HEAD /v2/chosen/manifests/1.1.0',
      'HEAD /v2/chosen/manifests/1.2.0',
      'HEAD /v2/pinned/manifests/1',
      'HEAD /v2/plain/manifests/1',
    ]);
  });

  it('says what moved, what is new and what is gone', async () => {
    await using source = await startScriptedRegistry();
    const digests = seed(source);
    const { lock } = await update(everything(source, digests.pinned));
    const moved = seedImage(source, 'plain', 'two', { tag: '1' }).digest;
    seedImage(source, 'chosen', '2.0.0', { tag: '2.0.0' });
    const text = everything(source, digests.pinned).replace(/^.*again:1.*\n/m, '');
    const { changes, lock: next } = await update(text, { lock });
    const told = changes
      .filter(({ kind }) => kind !== 'same')
      .map(({ kind, source: name, from, to }) => ({ kind, name, from, to }));
    expect(told).toEqual([
      { kind: 'moved', name: `${source.host}/plain:1`, from: digests.plain, to: moved },
      {
        kind: 'new',
        name: `${source.host}/chosen:2.0.0`,
        from: undefined,
        to: source.manifest('chosen', '2.0.0')?.digest,
      },
      { kind: 'gone', name: `${source.host}/chosen:1.1.0`, from: digests.chosen[1], to: undefined },
      { kind: 'gone', name: `${source.host}/plain:1`, from: digests.plain, to: undefined },
    ]);
    expect(next.sources.has('sync:s.example/again:1')).toBe(false);
  });

  it('keeps what it could not look up, says why, and goes on', async () => {
    await using source = await startScriptedRegistry();
    const digests = seed(source);
    const { lock } = await update(everything(source, digests.pinned));
    seedImage(source, 'plain', 'two', { tag: '1' });
    seedImage(source, 'chosen', '2.0.0', { tag: '2.0.0' });
    source.onRequest = ({ path }) =>
      path === '/v2/plain/manifests/1' || path === '/v2/chosen/manifests/2.0.0'
        ? { kind: 'answer', status: 500 }
        : undefined;
    const updated = await update(everything(source, digests.pinned), { lock });
    expect(updated.failures.map(({ id, failure }) => [id, failure.reason])).toEqual([
      ['sync:s.example/plain:1', 'registry'],
      ['sync:s.example/again:1', 'registry'],
      ['sync:s.example/chosen:{tag}', 'registry'],
    ]);
    expect(updated.failures[0]?.failure.at).toMatchObject({ line: 2 });
    expect(formatLock(updated.lock)).toBe(formatLock(lock));
    expect(updated.stale).toBe(false);
  });

  it('counts a tag that is not there as a failure, not as nothing', async () => {
    await using source = await startScriptedRegistry();
    const { failures, lock } = await update(
      `sync:\n  - { source: '${source.host}/a:1', destination: s.example/a:1 }\n`,
    );
    expect(failures).toMatchObject([{ id: 'sync:s.example/a:1', failure: { side: 'source', at: { line: 2 } } }]);
    expect(lock.sources.size).toBe(0);
  });

  it('tells what a source of two entries lacks at each of them', async () => {
    await using source = await startScriptedRegistry();
    const item = (to: string) => `  - { source: '${source.host}/none:1', destination: 's.example/${to}:1' }\n`;
    const { failures } = await update(`sync:\n${item('a')}${item('b')}`);
    expect(failures.map(({ id, failure }) => [id, failure.at?.line])).toEqual([
      ['sync:s.example/a:1', 2],
      ['sync:s.example/b:1', 3],
    ]);
  });

  it('leaves what --only is not about as it is', async () => {
    await using source = await startScriptedRegistry();
    const digests = seed(source);
    const { lock } = await update(everything(source, digests.pinned));
    seedImage(source, 'plain', 'two', { tag: '1' });
    const before = source.log.length;
    const updated = await update(everything(source, digests.pinned), { lock, only: ['*chosen*'] });
    expect(updated.stale).toBe(false);
    expect(
      lines(source)
        .slice(before)
        .filter((line) => !line.includes('/chosen/')),
    ).toEqual([]);
    expect(
      complaints(concernedBy(config(everything(source)), { only: ['s.example/planes:*'], exclude: [] })),
    ).toHaveLength(1);
  });

  it('records who signed a source, once, and locks none that nobody did', async () => {
    await using source = await startScriptedRegistry();
    const { digest: signed } = seedImage(source, 'a', 'a', { tag: '1' });
    seedImage(source, 'b', 'b', { tag: '1' });
    const verify = '{ issuer: https://issuer.example, subject: someone }';
    const text = ['a', 'b'].map(
      (name) => `  - { source: '${source.host}/${name}:1', destination: s.example/${name}:1, verify: ${verify} }\n`,
    );
    let asked = 0;
    const verifier: VerifySource = async (image) => {
      asked += 1;
      if (image.digest === signed) return { ok: true, value: 'someone' };
      return fail({ reason: 'trust', class: 'permanent', message: 'nobody signed it' });
    };
    const first = await update(`sync:\n${text.join('')}`, { verify: verifier });
    expect([...first.lock.sources.values()]).toMatchObject([{ verified: 'someone' }]);
    expect(first.failures).toMatchObject([
      { id: 'sync:s.example/b:1', failure: { message: 'nobody signed it', at: { line: 3 } } },
    ]);
    await update(`sync:\n${text[0]}`, { verify: verifier, lock: first.lock });
    expect(asked).toBe(2);
    await update(`sync:\n${text[0]?.replace('someone', 'another')}`, { verify: verifier, lock: first.lock });
    expect(asked).toBe(3);
  });
});

describe('applyLock', () => {
  it('pins sources and takes exactly the locked tags', async () => {
    await using source = await startScriptedRegistry();
    const digests = seed(source);
    const text = everything(source, digests.pinned);
    const { lock } = await update(text);
    seedImage(source, 'chosen', '3.0.0', { tag: '3.0.0' });
    const before = source.log.length;
    const { config: frozen } = valueOf(await applyLock(config(text), lock));
    expect(frozen.selections).toEqual([]);
    const sources = frozen.entries.map((entry) => (entry.kind === 'sync' ? formatReference(entry.source) : ''));
    expect(sources).toEqual([
      `${source.host}/plain:1@${digests.plain}`,
      `${source.host}/plain:1@${digests.plain}`,
      `${source.host}/pinned:1@${digests.pinned}`,
      's.example/plain:1',
      `${source.host}/chosen:1.2.0@${digests.chosen[2]}`,
      `${source.host}/chosen:1.1.0@${digests.chosen[1]}`,
    ]);
    expect(source.log).toHaveLength(before);
  });

  it('refuses a lock that is missing, lacks something, was made for something else, or was written into', async () => {
    await using source = await startScriptedRegistry();
    seed(source);
    const text = everything(source);
    const { lock } = await update(text);
    const lacking = async (changed: string, by: Lock | undefined) => {
      const { unlocked } = valueOf(await applyLock(config(changed), by));
      return checkLocked(unlocked, [...unlocked.keys()]);
    };
    const refused = async (changed: string, by: Lock | undefined = lock) => {
      const result = await lacking(changed, by);
      for (const hint of hints(result)) expect(hint).toMatch(/^run slipway update, and commit what it writes/);
      return complaints(result);
    };
    expect(complaints(await lacking(text, undefined))).toEqual([
      '2:5 there is no slipway.lock.yaml beside the config, and --frozen runs what is in it',
    ]);
    expect(await refused(text.replace('s.example/again', 's.example/other'))).toEqual([
      '3:5 "sync:s.example/other:1" is not in slipway.lock.yaml',
    ]);
    expect(
      await refused(text.replace("/plain:1', destination: s.example/again", "/plain:2', destination: s.example/again")),
    ).toEqual([
      `3:5 what slipway.lock.yaml has of "sync:s.example/again:1" was made for the source ${source.host}/plain:1`,
    ]);
    const former = 'was made for what its entry said before it was changed';
    const ofSelection = 'what slipway.lock.yaml has of "sync:s.example/chosen:{tag}"';
    expect(await refused(text.replace('latest: 2', 'latest: 3'))).toEqual([`6:5 ${ofSelection} ${former}`]);
    expect(await refused(text.replace('latest: 2 }', 'latest: 2 }, platforms: [linux/amd64]'))).toEqual([
      `6:5 ${ofSelection} ${former}`,
    ]);
    const [id = '', locked] = [...lock.selections][0] ?? [];
    if (locked === undefined) throw new Error('nothing is locked');
    const more = new Map([...locked.tags, ['0.1.0' as never, { digest: digest('f') as Digest, platforms: [] }]]);
    expect(await refused(text, { ...lock, selections: new Map([[id, { ...locked, tags: more }]]) })).toEqual([
      '6:5 the tags that slipway.lock.yaml has of "sync:s.example/chosen:{tag}" are not those that its select can choose',
    ]);
  });

  it('is about what is asked for: the rest of it need not be locked, and each hint says how to leave it out', async () => {
    await using source = await startScriptedRegistry();
    seed(source);
    const text = everything(source);
    const { lock } = await update(text);
    const some = { sources: new Map([...lock.sources].slice(0, 1)), selections: new Map() };
    const { config: frozen, expansions, unlocked } = valueOf(await applyLock(config(text), some));
    expect(frozen.entries.map((entry) => entry.kind === 'sync' && entry.source.kind)).toEqual([
      'pinned',
      'tagged',
      'pinned',
      'tagged',
    ]);
    expect(frozen.selections.map(({ id }) => id)).toEqual(['sync:s.example/chosen:{tag}']);
    expect(expansions).toMatchObject([{ failure: { reason: 'config', at: { line: 6 } } }]);
    expect(checkLocked(unlocked, ['sync:s.example/plain:1', 'sync:s.example/retag:1'])).toMatchObject({ ok: true });
    const asked = checkLocked(unlocked, ['sync:s.example/again:1', 'sync:s.example/chosen:{tag}']);
    expect(complaints(asked)).toEqual([
      '3:5 "sync:s.example/again:1" is not in slipway.lock.yaml',
      '6:5 "sync:s.example/chosen:{tag}" is not in slipway.lock.yaml',
    ]);
    expect(hints(asked)).toEqual([
      expect.stringContaining(
        "what update cannot look up is not in it, and left out by --exclude 'sync:s.example/again:1'",
      ),
      expect.stringContaining("--exclude 'sync:s.example/chosen:{tag}'"),
    ]);
  });

  it('takes two locked tags of one digest for one image, where their destination is one', async () => {
    await using source = await startScriptedRegistry();
    for (const [path, tag] of [
      ['a', '1'],
      ['b', '1'],
      ['b', '2'],
    ] as const) {
      seedImage(source, path, 'same', { tag });
    }
    const item = (name: string): string =>
      `  - { source: '${source.host}/${name}', destination: 's.example/x:{tag}', select: { regex: '.*' } }\n`;
    const text = `sync:\n${item('a')}${item('b')}`;
    const { lock } = await update(text);
    const asked = await expandSelections(config(text), async ({ source: { path } }) =>
      ok((path === 'a' ? ['1'] : ['1', '2']) as Tag[]),
    );
    expect(valueOf(asked).expansions.map(({ failure }) => failure === undefined)).toEqual([true, false]);
    const { config: frozen } = valueOf(await applyLock(config(text), lock));
    expect(frozen.entries.map(({ id, at }) => [id, at.line])).toEqual([
      ['sync:s.example/x:1', 2],
      ['sync:s.example/x:2', 3],
    ]);
    seedImage(source, 'b', 'other', { tag: '1' });
    const { lock: moved } = await update(text);
    const { expansions, unlocked } = valueOf(await applyLock(config(text), moved));
    expect(expansions.map(({ failure }) => failure?.message)).toEqual([
      undefined,
      expect.stringMatching(/^the destination s.example\/x:1 of a tag of .*\/b is also that of line 2/),
    ]);
    expect(unlocked.size).toBe(0);
  });

  it('does not mind what changes neither source nor tests', async () => {
    await using source = await startScriptedRegistry();
    seed(source);
    const text = everything(source);
    const { lock } = await update(text);
    const other = text.replace(
      'destination: s.example/plain:1 }',
      'destination: s.example/plain:1, always: true, tags: [x] }',
    );
    expect((await applyLock(config(`# moved down\n${other}`), lock)).ok).toBe(true);
  });

  it('needs no lock where there is nothing to lock', async () => {
    expect(
      (await applyLock(config(`sync: [{ source: a@${digest('a')}, destination: s.example/a:1 }]\n`), undefined)).ok,
    ).toBe(true);
  });
});

describe('lockedEntries', () => {
  it('are those that the lock was made for as they are now, selected ones too', async () => {
    await using source = await startScriptedRegistry();
    const digests = seed(source);
    const text = everything(source, digests.pinned);
    const { lock } = await update(text);
    seedImage(source, 'chosen', '3.0.0', { tag: '3.0.0' });
    await using registry = client({ retries: 0 });
    const locked = async (changed: string): Promise<readonly string[]> => {
      const asked = config(changed);
      const expanded = valueOf(await expandSelections(asked, tagsFromRegistry(registry)));
      return [...lockedEntries(expanded.config, asked.selections, lock)];
    };
    const plain = ['sync:s.example/plain:1', 'sync:s.example/again:1'];
    // The newest is not in it yet.
    expect(await locked(text)).toEqual([...plain, 'sync:s.example/chosen:1.2.0']);
    expect(await locked(text.replace('latest: 2', 'latest: 3'))).toEqual(plain);
    expect(
      await locked(text.replace("/plain:1', destination: s.example/again", "/plain:2', destination: s.example/again")),
    ).toEqual([plain[0], 'sync:s.example/chosen:1.2.0']);
  });
});

describe('the files', () => {
  it('are replaced whole: a lock by its name, a config where it is, with its permissions and byte order mark', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-lock-'));
    const elsewhere = join(folder, 'elsewhere');
    await writeFile(elsewhere, 'precious');
    await symlink(elsewhere, join(folder, 'slipway.lock.yaml'));
    const empty = { sources: new Map(), selections: new Map() };
    expect(await saveLock(folder, empty)).toMatchObject({ ok: true });
    expect(await readFile(elsewhere, 'utf8')).toBe('precious');
    expect((await lstat(join(folder, 'slipway.lock.yaml'))).isFile()).toBe(true);
    expect(valueOf(await loadLock(folder))).toEqual(empty);

    const text = `sync: [{ source: r.example/a:1@${digest('a')}, destination: s.example/a:1 }]\n`;
    await writeFile(join(folder, 'real.yaml'), `\uFEFF${text}`, { mode: 0o640 });
    await symlink('real.yaml', join(folder, 'config.yaml'));
    const [entry] = config(text).entries;
    if (entry === undefined) throw new Error('no entry');
    const repins = [{ at: entry.at, from: digest('a') as Digest, to: digest('b') as Digest }];
    expect(await saveRepins(join(folder, 'config.yaml'), repins)).toMatchObject({ ok: true });
    expect(await readlink(join(folder, 'config.yaml'))).toBe('real.yaml');
    expect(await readFile(join(folder, 'real.yaml'), 'utf8')).toBe(`\uFEFF${text.replace(digest('a'), digest('b'))}`);
    expect((await stat(join(folder, 'real.yaml'))).mode & 0o777).toBe(0o640);
    expect((await readdir(folder)).sort()).toEqual(['config.yaml', 'elsewhere', 'real.yaml', 'slipway.lock.yaml']);
  });

  it('leave nothing beside them once the next update has written them, when the one before was killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-lock-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const empty: Lock = { sources: new Map(), selections: new Map() };
    await killedAt(
      'promises.rename',
      `const { saveLock } = ${imported(join(import.meta.dirname, 'files.ts'))};
       await saveLock(${JSON.stringify(folder)}, { sources: new Map(), selections: new Map() });`,
    );
    expect(await readdir(folder)).toEqual([expect.stringMatching(/^slipway\.lock\.yaml\../)]);
    // Drafts of another file, and what somebody has named a little like one.
    const others = [
      `slipway.lock.yaml.${await ownName()}x`,
      'slipway.lock.yaml.orig',
      `config.yaml.${await ownName()}`,
    ];
    for (const name of others) await writeFile(join(folder, name), '');
    expect(await saveLock(folder, empty)).toMatchObject({ ok: true });
    expect(await readdir(folder)).toEqual([...others, 'slipway.lock.yaml'].toSorted());
  });

  it('are left alone where they cannot be written', async () => {
    expect(await saveLock('/nowhere/at/all', { sources: new Map(), selections: new Map() })).toMatchObject({
      ok: false,
      failure: { reason: 'config' },
    });
  });
});
