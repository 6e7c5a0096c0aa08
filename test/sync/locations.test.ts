/** Layouts and archives with all that a sync may ask for: a lock, who signed the source, selections, and an end in the middle. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { project, type Project } from '../chain/project.ts';
import { digestOf, image, source } from '../chain/shorthand.ts';
import { cosign, freshFolder, freshPath, push, skopeo, world } from '../world.ts';

const MIRROR = { trust: [{ match: '*', level: 'copy' }] };
const SCHEMES = [
  ['a folder', 'oci:', 'carried'],
  ['an archive', 'oci-archive:', 'carried.tar'],
] as const;

/** An image whose index somebody else has signed. */
async function signed(label: string): Promise<{ readonly path: string; readonly digest: string }> {
  const from = await source(label);
  const { keys } = world();
  const flow = ['--signing-config', keys.signingConfig, '--trusted-root', keys.trustedRoot];
  const reference = `${world().source.host}/${from.path}@${from.digest}`;
  const { code, stderr } = await cosign(['sign', '--yes', '--key', keys.foreign.key, ...flow, reference]);
  expect(code, stderr).toBe(0);
  return from;
}

async function done(one: Project, ...args: readonly string[]) {
  const ran = await one.run('sync', ...args);
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  return ran;
}

describe.each(SCHEMES)('%s', (_, scheme, name) => {
  test('as a source proves who signed it, by what was carried along', async () => {
    const from = await signed('carried');
    const plain = await source('carried-plain');
    const folder = await freshFolder();
    const place = `${scheme}${folder}/${name}`;
    const outside = await project({
      sync: [
        { source: `${world().source.host}/${from.path}:1`, destination: `${place}:signed`, referrers: true },
        { source: `${world().source.host}/${plain.path}:1`, destination: `${place}:plain`, referrers: true },
      ],
      settings: MIRROR,
    });
    await done(outside);

    const path = freshPath('carried');
    const verify = { key: './upstream.pub' };
    const inside = await project({
      sync: ['signed', 'plain'].map((tag) => ({
        source: `${place}:${tag}`,
        destination: `${world().destination.host}/${path}:${tag}`,
        verify,
      })),
      settings: MIRROR,
      files: { 'upstream.pub': await readFile(world().keys.foreign.publicKey, 'utf8') },
    });
    const ran = await inside.run('sync');
    expect(ran.code, ran.stdout + ran.stderr).toBe(1);
    expect(ran.row(':signed')).toMatchObject({ outcome: 'published', digest: from.digest });
    expect(ran.row(':plain')).toMatchObject({ outcome: 'failed', failure: { side: 'source' } });
    expect(ran.row(':plain').failure?.message).toContain('is not signed by');
    expect(await digestOf(`${world().destination.host}/${path}:plain`)).toBeUndefined();

    const keyless = await project({
      sync: [
        {
          source: `${place}:signed`,
          destination: `${world().destination.host}/${path}:keyless`,
          verify: { issuer: 'https://issuer.example', subject: 'nobody' },
        },
      ],
      settings: MIRROR,
    });
    const refused = await keyless.run('sync');
    expect(refused.code, refused.stdout + refused.stderr).toBe(1);
    expect(refused.row(':keyless').failure).toMatchObject({ side: 'source' });
  });

  test('as source and destination is locked: a frozen sync takes what was reviewed, or says that it is gone', async () => {
    const [one, two] = [await source('locked'), await source('locked-two')];
    const folder = await freshFolder();
    const media = `${scheme}${folder}/${name}`;
    const fill = async (from: string, tag: string) => {
      const filled = await project({
        sync: [{ source: `${world().source.host}/${from}:1`, destination: `${media}:${tag}` }],
        settings: MIRROR,
      });
      await done(filled);
    };
    await fill(one.path, '1.0.0');
    await fill(two.path, '1.1.0');
    const path = freshPath('locked');
    const mirror = await project({
      sync: [
        { source: media, destination: `${world().destination.host}/${path}`, select: { semver: '1.x', latest: 1 } },
        { source: `${media}:1.0.0`, destination: `${scheme}./out/${name}:one` },
      ],
      settings: MIRROR,
    });
    const missing = await mirror.run('sync', '--frozen');
    expect(missing.code, missing.stdout + missing.stderr).toBe(2);
    const updated = await mirror.run('update');
    expect(updated.code, updated.stdout + updated.stderr).toBe(0);

    // A newer tag, and another image under an old one: neither was reviewed.
    await fill(one.path, '1.2.0');
    await fill(two.path, '1.0.0');
    const frozen = await mirror.run('sync', '--frozen');
    expect(frozen.answer.entries.map(({ digest, outcome }) => [outcome, digest])).toEqual([
      ['published', two.digest],
      ['published', one.digest],
    ]);
    expect(await digestOf(`${world().destination.host}/${path}:1.1.0`)).toBe(two.digest);
    expect(await digestOf(`${world().destination.host}/${path}:1.2.0`)).toBeUndefined();

    await rm(join(folder, name), { recursive: true });
    await rm(join(mirror.folder, 'out'), { recursive: true });
    await fill(two.path, '1.0.0');
    const gone = await mirror.run('sync', '--frozen');
    expect(gone.code, gone.stdout + gone.stderr).toBe(1);
    expect(gone.row(`${name}:one`)).toMatchObject({ outcome: 'failed', failure: { side: 'source' } });
    expect(gone.row(`${name}:one`).failure?.hint).toBeTruthy();
  });
});

test('what skopeo puts over a tag of a layout is synced anew, and kept out by a lock', async () => {
  const [one, two] = [await source('over'), await source('over-two')];
  const folder = join(await freshFolder(), 'layout');
  const put = async (from: string) => {
    const origin = `docker://${world().source.host}/${from}:1`;
    const copied = await skopeo('copy', '--all', '--src-tls-verify=false', origin, `oci:${folder}:tag`);
    expect(copied.code, copied.stderr).toBe(0);
  };
  await put(one.path);
  const target = `${world().destination.host}/${freshPath('over')}:1`;
  const mirror = await project({ sync: [{ source: `oci:${folder}:tag`, destination: target }], settings: MIRROR });
  await done(mirror);
  expect((await mirror.run('update')).code).toBe(0);
  await put(two.path);
  await done(mirror, '--frozen');
  expect(await digestOf(target)).toBe(one.digest);
  await done(mirror);
  expect(await digestOf(target)).toBe(two.digest);
  expect(await push(image('over-other'), target)).not.toBe(two.digest);
  await done(mirror, '--frozen');
  expect(await digestOf(target)).toBe(one.digest);
});
