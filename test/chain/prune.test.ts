/** `slipway prune`, looked at from outside: which tags go, which never do, and what stops it. */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { complaintsAbout } from '../../cli/testing.ts';
import { crane, freshPath, push, root, slipway, world } from '../world.ts';
import { project, type Project } from './project.ts';
import { digestOf, image, source } from './shorthand.ts';
import { watch } from './watching-proxy.ts';

interface Answer {
  readonly ok: boolean;
  readonly run?: string;
  readonly entries?: readonly {
    readonly destination: string;
    readonly state: string;
    readonly why: string;
    readonly failure?: { readonly message: string; readonly hint?: string };
  }[];
  readonly closed?: readonly { readonly repository: string; readonly why: string }[];
  readonly refused?: { readonly message: string };
  readonly failures?: readonly { readonly message: string; readonly hint?: string }[];
}

async function prune(one: Project, ...args: readonly string[]): Promise<Answer & { readonly code: number }> {
  const { code, stdout, stderr } = await slipway(['prune', '--json', ...args], { cwd: one.folder });
  if (!stdout.startsWith('{"slipway":1,')) throw new Error(stdout + stderr);
  return { code, ...(JSON.parse(stdout) as Answer) };
}

function names(answer: Answer): readonly string[] {
  return (answer.entries ?? []).map(
    ({ destination, state }) => `${destination.slice(destination.lastIndexOf(':') + 1)} ${state}`,
  );
}

/** Each event of the newest journal that says what became of a tag, or of the run. */
async function told(one: Project): Promise<readonly string[]> {
  const events = (await one.journals()).at(-1) ?? [];
  expect(events.flatMap(complaintsAbout)).toEqual([]);
  const of = (tag: string): string => tag.slice(tag.lastIndexOf(':') + 1);
  return events.flatMap((event) => {
    if (event.type === 'run.start') return [`${event.command} ${event.run}`];
    if (event.type === 'tag.delete') return [`tag.delete ${of(event.tag)} ${event.digest}`];
    if (event.type === 'tag.done') return [`tag.done ${of(event.tag)} ${event.state}`];
    return event.type === 'run.done' ? [`exit ${event.exitCode}`] : [];
  });
}

/** Destinations that `why --cve` takes into account: one vulnerability that nothing has, and what is not known of it. */
async function looked(one: Project): Promise<number> {
  const { stdout } = await slipway(['why', '--cve', 'CVE-1900-1', '--json'], { cwd: one.folder });
  return (JSON.parse(stdout) as { readonly looked: number }).looked;
}

async function tags(repository: string): Promise<readonly string[]> {
  const listed = (await crane('ls', repository)).stdout.trim().split('\n');
  return listed.filter((tag) => !tag.startsWith('sha256-')).sort();
}

/** A repository in which this config made 1 to 4, and somebody else two more. */
async function published(label: string, host = world().destination.host) {
  const from = await source(label);
  const repository = `${host}/${freshPath(label)}`;
  const entry = (tag: string): Readonly<Record<string, unknown>> => ({
    source: `hub.slipway.example/${from.path}:1`,
    destination: `${repository}:${tag}`,
  });
  const one = await project({ sync: ['1', '2', '3', '4'].map(entry) });
  const ran = await one.run('run');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  // One is another image, the other a tag that a person put on ours.
  await push(image(`${label}-foreign`), `${repository}:theirs`);
  await crane('tag', `${repository}:1`, 'by-hand');
  return { one, entry, repository, from };
}

describe('prune', () => {
  test('lists, then deletes, the tags alone of what it made and the config names no longer', async () => {
    const { one, entry, repository, from } = await published('prune');
    expect(names(await prune(one))).toEqual([]);
    await one.change({ sync: ['1', '2'].map(entry) });
    const listed = await prune(one);
    expect([listed.code, names(listed)]).toEqual([0, ['3 listed', '4 listed']]);
    expect([listed.run, (await one.journals()).length]).toEqual([undefined, 1]);
    expect(listed.entries?.[0]?.why).toContain(`copied from hub.slipway.example/${from.path}:1`);
    expect(await tags(repository)).toEqual(['1', '2', '3', '4', 'by-hand', 'theirs']);

    const deleted = await prune(one, '--delete', '--only', `${repository}:4`);
    expect([deleted.code, names(deleted)]).toEqual([0, ['4 deleted']]);
    const record = [`prune ${deleted.run}`, `tag.delete 4 ${from.digest}`, 'tag.done 4 deleted', 'exit 0'];
    expect(await told(one)).toEqual(record);
    expect(await looked(one)).toBe(3);
    const rest = await prune(one, '--delete');
    expect([rest.code, names(rest)]).toEqual([0, ['3 deleted']]);
    expect(await tags(repository)).toEqual(['1', '2', 'by-hand', 'theirs']);
    // The image, which other tags name, and what is attached to it, are as they were.
    expect(await digestOf(`${repository}:1`)).toBe(from.digest);
    expect((await one.run('verify', '--deep')).code).toBe(0);
    expect(names(await prune(one, '--delete'))).toEqual([]);
    expect((await one.journals()).length).toBe(3);
    expect(await looked(one)).toBe(2);
  });

  test('its run can be reported, and rolled back as long as the image is there', async () => {
    const { one, entry, repository, from } = await published('undone');
    await one.change({ sync: ['1', '2', '3'].map(entry) });
    const { run = '' } = await prune(one, '--delete');
    const journal = join('.slipway', 'runs', `${run}.ndjson`);
    expect((await slipway(['report', journal, '--dir', 'report'], { cwd: one.folder })).code).toBe(0);
    const page = await readFile(join(one.folder, 'report', 'index.html'), 'utf8');
    expect(page).toContain(`crane tag ${repository}@${from.digest} 4`);
    expect(page).toContain(`slipway rollback ${run}`);
    const back = await one.run('rollback', run);
    expect([back.code, back.row(':4')]).toMatchObject([0, { outcome: 'published', before: null, signed: true }]);
    expect(back.stderr).toContain('the next prune --delete deletes these tags again');
    expect(await digestOf(`${repository}:4`)).toBe(from.digest);
    expect(await looked(one)).toBe(4);
    expect((await one.run('rollback', run)).row(':4').outcome).toBe('unchanged');
    // Somebody else's tag of that name is not theirs to replace.
    const said = await slipway(['prune', '--delete'], { cwd: one.folder });
    expect(said.stdout).toMatch(/^deleted .*\n1 of 1 deleted\nslipway rollback \S+ puts back what was deleted/);
    const other = await push(image('undone-other'), `${repository}:4`);
    expect((await one.run('rollback', run)).row(':4').outcome).toBe('failed');
    expect(await digestOf(`${repository}:4`)).toBe(other);
  });

  test('killed in the middle, its journal says which tag may be gone', async () => {
    const proxy = await watch(world().destination.host);
    const { one, entry, repository } = await published('killed', proxy.host);
    await one.change({ sync: ['1', '2', '3'].map(entry) });
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    proxy.intercept(({ method }) => {
      if (method !== 'DELETE') return undefined;
      resolve();
      return 'swallow';
    });
    const running = one.start('prune', '--delete');
    await Promise.race([asked, running.ended]);
    running.child.kill('SIGKILL');
    await running.ended;
    proxy.intercept(undefined);
    const [start, ...rest] = await told(one);
    expect(rest).toEqual([expect.stringMatching(/^tag\.delete 4 sha256:/)]);
    const back = await one.run('rollback', start?.slice('prune '.length) ?? '');
    expect([back.code, back.row(':4').outcome]).toEqual([0, 'unchanged']);
    expect(await digestOf(`${repository}:4`)).toBeDefined();
  });

  test('without a record nothing is deleted', async () => {
    const { one, entry, repository } = await published('unrecorded');
    await one.change({ sync: ['1', '2', '3'].map(entry) });
    const runs = join(one.folder, '.slipway', 'runs');
    await rename(runs, `${runs}-before`);
    await writeFile(runs, '');
    const refused = await prune(one, '--delete');
    expect([refused.code, refused.failures?.[0]?.message]).toEqual([2, expect.stringContaining('.slipway/runs')]);
    expect(await tags(repository)).toContain('4');
    // Who only looks needs none.
    expect(names(await prune(one))).toEqual(['4 listed']);
  });

  test('a config that lost most of its entries deletes nothing until that is said to be meant', async () => {
    const { one, entry, repository } = await published('guard');
    for (const tag of ['theirs', 'by-hand']) await crane('delete', `${repository}:${tag}`);
    await one.change({ sync: [entry('1')] });
    const listed = await prune(one);
    expect([listed.code, names(listed).length]).toEqual([0, 3]);
    expect(listed.refused?.message).toContain('more than half');
    const refused = await prune(one, '--delete');
    expect(refused.code).toBe(2);
    expect(refused.failures?.[0]?.hint).toContain('--max 3');
    expect((await prune(one, '--delete', '--max', '2')).code).toBe(2);
    const before = await tags(repository);
    expect(before).toEqual(expect.arrayContaining(['1', '2', '3', '4']));
    expect(names(await prune(one, '--delete', '--max', '3'))).toEqual(['2 deleted', '3 deleted', '4 deleted']);
    expect(await digestOf(`${repository}:1`)).toBeDefined();
  });

  test('nothing goes where nothing proves who made it, or the config cannot say what it names', async () => {
    const { one, entry, repository, from } = await published('closed');
    const copies = [{ match: '**', level: 'copy' }];
    await one.change({ sync: [entry('1')], settings: { trust: copies } });
    const copy = await prune(one, '--delete', '--max', '50');
    expect(copy.code).toBe(2);
    expect(copy.failures?.[0]?.hint).toContain('trust: copy');
    // A selection whose source cannot be listed: what it names is not known.
    const select = { select: { semver: ['>=2'] }, source: '127.0.0.1:9/gone/away', destination: repository };
    await one.change({ sync: [entry('1'), select], settings: {} });
    const closed = await prune(one, '--delete', '--max', '50');
    expect(closed.closed?.map((each) => each.repository)).toEqual([repository]);
    expect(names(closed)).toEqual([]);
    expect(await tags(repository)).toEqual(['1', '2', '3', '4', 'by-hand', 'theirs']);
    // Another signer's attestations prove nothing here.
    const { scratch } = world().keys;
    await one.change({ sync: [entry('1')], settings: { signing: { key: scratch.key, publicKey: scratch.publicKey } } });
    expect(names(await prune(one, '--delete', '--max', '50'))).toEqual([]);
    expect(await digestOf(`${repository}:4`)).toBe(from.digest);
  });

  test('tags of a template and backups stay, unless the template is asked for', async () => {
    const from = await source('dated');
    const repository = `${world().destination.host}/${freshPath('dated')}`;
    const entry = (tags: readonly string[]): Readonly<Record<string, unknown>> => ({
      source: `hub.slipway.example/${from.path}:1`,
      destination: `${repository}:1`,
      tags,
      backup: 'was-{tag}',
    });
    // An image of another day, as that day's template made it.
    const one = await project({ sync: [entry(['{date}', '2025-01-31'])] });
    expect((await one.run('run')).code).toBe(0);
    await push(image('dated-second'), `${world().source.host}/${from.path}:1`);
    expect((await one.run('run')).code).toBe(0);
    await one.change({ sync: [entry(['{date}'])] });
    expect(names(await prune(one))).toEqual([]);
    expect(names(await prune(one, '--templated', '--delete'))).toEqual(['2025-01-31 deleted']);
    expect(await tags(repository)).toEqual(expect.arrayContaining(['1', 'was-1']));
  });

  test('a registry that does not delete tags is named', async () => {
    const proxy = await watch(world().destination.host);
    const { one, entry, repository, from } = await published('refuses', proxy.host);
    await one.change({ sync: ['1', '2', '3'].map(entry) });
    proxy.intercept(({ method }) =>
      method === 'DELETE'
        ? { status: 405, body: '{"errors":[{"code":"UNSUPPORTED","message":"The operation is unsupported."}]}' }
        : undefined,
    );
    const refused = await prune(one, '--delete');
    expect([refused.code, names(refused)]).toEqual([1, ['4 failed']]);
    expect(refused.entries?.[0]?.failure?.hint).toContain('does not delete tags');
    expect((await told(one)).slice(2)).toEqual(['tag.done 4 failed', 'exit 1']);
    expect(await looked(one)).toBe(4);
    expect(await digestOf(`${repository}:4`)).toBe(from.digest);
    expect(
      proxy.requests.filter(({ method }) => method === 'DELETE').every(({ path }) => path.endsWith('/manifests/4')),
    ).toBe(true);
  });
});

test('the help says what it does', async () => {
  const { stdout } = await slipway(['prune', '--help'], { cwd: root });
  expect(stdout).toContain('--templated');
});
