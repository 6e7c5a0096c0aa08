/** `referrers:`: what upstream attached travels along, by the API or by tags on either side. */
import { describe, expect, test } from 'vitest';
import { worldSettings } from '../../demo/world/settings.ts';
import { cosign, crane, freshPath, push, tool, world } from '../world.ts';
import { project } from './project.ts';
import { watch } from './watching-proxy.ts';
import { image } from './shorthand.ts';

type Kind = 'api' | 'tags';

function hostOf(kind: Kind, side: 'source' | 'destination'): string {
  const { referrers } = world();
  if (kind === 'tags') return world()[side].host;
  if (referrers === undefined) throw new Error('the world has no registry with the referrers API');
  return referrers.host;
}

async function sign(reference: string, ...format: readonly string[]): Promise<void> {
  const { keys } = world();
  const own = format.length > 0 ? format : ['--signing-config', keys.signingConfig, '--trusted-root', keys.trustedRoot];
  const signed = await cosign(['sign', '--yes', '--key', keys.foreign.key, ...own, reference]);
  if (signed.code !== 0) throw new Error(signed.stderr);
}

const LEGACY = ['--new-bundle-format=false', '--use-signing-config=false', '--tlog-upload=false'];

/** What regctl sees attached: artifact types, sorted. */
async function attached(reference: string): Promise<readonly string[]> {
  const { code, stdout, stderr } = await tool('regctl', [
    '--host',
    `reg=${reference.split('/')[0]},tls=disabled`,
    'artifact',
    'list',
    reference,
    '--format',
    '{{json .}}',
  ]);
  if (code !== 0) throw new Error(stderr);
  const { descriptors = [] } = JSON.parse(stdout) as { readonly descriptors?: readonly { readonly digest: string }[] };
  // What the registry says of them in its list may be the type of their config.
  const repository = reference.slice(0, reference.indexOf('@'));
  const types = await Promise.all(
    descriptors.map(async ({ digest }) => {
      const manifest = JSON.parse((await crane('manifest', `${repository}@${digest}`)).stdout) as {
        artifactType?: string;
      };
      return manifest.artifactType ?? '';
    }),
  );
  return types.sort();
}

async function attach(reference: string, type: string, content: string): Promise<string> {
  const { code, stdout, stderr } = await tool(
    'regctl',
    [
      '--host',
      `reg=${reference.split('/')[0]},tls=disabled`,
      'artifact',
      'put',
      '--artifact-type',
      type,
      '--subject',
      reference,
      '--format',
      '{{.Manifest.GetDescriptor.Digest}}',
    ],
    { input: content },
  );
  if (code !== 0) throw new Error(stderr);
  return stdout.trim();
}

const foreign = async (reference: string, ...flags: readonly string[]): Promise<boolean> =>
  (await cosign(['verify', '--insecure-ignore-tlog', ...flags, '--key', world().keys.foreign.publicKey, reference]))
    .code === 0;

describe.each([
  { from: 'tags', to: 'tags' },
  { from: 'api', to: 'tags' },
  { from: 'tags', to: 'api' },
] as const)('from a registry with $from to one with $to', ({ from, to }) => {
  test('all of it, what refers to that, and what is added later though the image is the same', async () => {
    const [here, there] = [freshPath('upstream'), freshPath('carried')];
    const name = `${hostOf(from, 'source')}/${here}`;
    const digest = await push(image(`carried-${from}-${to}`), `${name}:1`);
    const sbom = await attach(`${name}@${digest}`, 'application/spdx+json', '{"spdx":1}');
    await attach(`${name}@${sbom}`, 'application/vnd.example.note', 'about the SBOM');
    await sign(`${name}@${digest}`);
    const destination = `${hostOf(to, 'destination')}/${there}`;
    const one = await project({ sync: [{ source: `${name}:1`, destination: `${destination}:1`, referrers: true }] });
    const ran = await one.run('run');
    expect(ran.code, ran.stdout + ran.stderr).toBe(0);
    expect(await foreign(`${destination}@${digest}`)).toBe(true);
    expect(await attached(`${destination}@${digest}`)).toContain('application/spdx+json');
    expect(await attached(`${destination}@${sbom}`)).toEqual(['application/vnd.example.note']);
    // Ours are beside them.
    const again = await one.run('run');
    expect(again.row(`${there}:1`), again.stdout).toMatchObject({ outcome: 'unchanged', signed: true });
    expect(again.answer.tools).toEqual([]);
    expect((await one.run('verify', '--deep')).code).toBe(0);

    await attach(`${name}@${digest}`, 'application/vnd.example.late', 'later');
    const later = await one.run('run');
    const row = later.row(`${there}:1`);
    expect(row, later.stdout).toMatchObject({
      outcome: 'unchanged',
      digest,
      why: 'upstream has attached 1 more to it',
    });
    expect(await attached(`${destination}@${digest}`)).toContain('application/vnd.example.late');
    expect((await one.run('run')).row(`${there}:1`).why).not.toContain('upstream');
  });
});

test('only the types that are asked for, whether the list says them or not', async () => {
  const name = `${world().source.host}/${freshPath('typed')}`;
  const digest = await push(image('typed'), `${name}:1`);
  await attach(`${name}@${digest}`, 'application/spdx+json', '{}');
  await attach(`${name}@${digest}`, 'application/vnd.example.other', 'x');
  // Some tools keep the list without types.
  const tag = digest.replace(':', '-');
  const list = JSON.parse((await crane('manifest', `${name}:${tag}`)).stdout) as {
    manifests: Record<string, unknown>[];
  };
  const bare = {
    ...list,
    manifests: list.manifests.map(({ mediaType, digest: own, size }) => ({ mediaType, digest: own, size })),
  };
  const put = await fetch(`http://${name.replace('/', '/v2/')}/manifests/${tag}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' },
    body: JSON.stringify(bare),
  });
  expect(put.status).toBe(201);
  await sign(`${name}@${digest}`, ...LEGACY);
  const destination = `${world().destination.host}/${freshPath('typed')}`;
  const referrers = { types: ['application/spdx*'] };
  const one = await project({
    sync: [{ source: `${name}:1`, destination: `${destination}:1`, referrers }],
    settings: { trust: [{ match: '**', level: 'copy' }] },
  });
  const ran = await one.run('run');
  expect(ran.code, ran.stdout).toBe(0);
  expect(await attached(`${destination}@${digest}`)).toEqual(['application/spdx+json']);
  expect((await crane('ls', destination)).stdout).not.toContain('.sig');
});

test('an unchanged image costs the two HEADs and one list', async () => {
  const referrers = world().referrers?.host ?? '';
  const proxy = await watch(referrers);
  const path = freshPath('counted');
  const digest = await push(image('counted'), `${referrers}/${path}:1`);
  await attach(`${referrers}/${path}@${digest}`, 'application/vnd.example.one', 'x');
  const to = freshPath('counted');
  const sync = [{ source: `${proxy.host}/${path}:1`, destination: `${proxy.host}/${to}:1`, referrers: true }];
  const one = await project({ sync, settings: { trust: [{ match: '**', level: 'copy' }] } });
  expect((await one.run('run')).code).toBe(0);
  const mark = proxy.requests.length;
  expect((await one.run('run')).row(`${to}:1`).outcome).toBe('unchanged');
  const asked = proxy.requests.slice(mark).map(({ method, path: url }) => `${method} ${url.split('/').at(-2)}`);
  expect(asked.toSorted()).toEqual(['GET referrers', 'HEAD manifests', 'HEAD manifests']);
});

test("cosign's tags travel as tags, also those of the platforms, and are merged with ours", async () => {
  const name = `${world().source.host}/${freshPath('legacy')}`;
  const layout = image('legacy-tags');
  const digest = await push(layout, `${name}:1`);
  const index = JSON.parse((await crane('manifest', `${name}:1`)).stdout) as {
    readonly manifests: readonly { readonly digest: string }[];
  };
  const child = index.manifests[0]?.digest ?? '';
  for (const each of [digest, child]) await sign(`${name}@${each}`, ...LEGACY);
  const destination = `${world().destination.host}/${freshPath('legacy')}`;
  const { signing } = worldSettings(world()) as {
    readonly signing: object;
  };
  const one = await project({
    sync: [{ source: `${name}:1`, destination: `${destination}:1`, referrers: true }],
    settings: { signing: { ...signing, format: 'both' } },
  });
  const ran = await one.run('run');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  for (const each of [digest, child])
    expect(await foreign(`${destination}@${each}`, '--new-bundle-format=false')).toBe(true);
  const ours = [
    'verify',
    '--insecure-ignore-tlog',
    '--new-bundle-format=false',
    '--key',
    world().keys.production.publicKey,
  ];
  expect((await cosign([...ours, `${destination}@${digest}`])).code).toBe(0);
  // Signed once more upstream: noticed, and added to what is here.
  await cosign(['sign', '--yes', '--key', world().keys.scratch.key, ...LEGACY, `${name}@${digest}`]);
  const later = await one.run('run');
  expect(later.code, later.stdout + later.stderr).toBe(0);
  const scratch = [
    'verify',
    '--insecure-ignore-tlog',
    '--new-bundle-format=false',
    '--key',
    world().keys.scratch.publicKey,
  ];
  expect((await cosign([...scratch, `${destination}@${digest}`])).code).toBe(0);
  expect((await cosign([...ours, `${destination}@${digest}`])).code).toBe(0);
  expect((await one.run('run')).answer.tools).toEqual([]);
});

test('what refers to an artifact in an index, and tags that begin with a digest, travel along', async () => {
  const name = `${world().source.host}/${freshPath('artifacts')}`;
  const artifact = await push(image('artifact-base'), `${name}:base`);
  const child = await attach(`${name}@${artifact}`, 'application/vnd.example.thing', 'a thing');
  const { manifests } = JSON.parse((await crane('manifest', `${name}:${artifact.replace(':', '-')}`)).stdout) as {
    manifests: readonly { digest: string; size: number; mediaType: string }[];
  };
  const index = 'application/vnd.oci.image.index.v1+json';
  const [{ mediaType, digest, size } = { mediaType: '', digest: '', size: 0 }] = manifests;
  const put = await fetch(`http://${name.replace('/', '/v2/')}/manifests/1`, {
    method: 'PUT',
    headers: { 'content-type': index },
    body: JSON.stringify({ schemaVersion: 2, mediaType: index, manifests: [{ mediaType, digest, size }] }),
  });
  expect(put.status).toBe(201);
  const note = await attach(`${name}@${child}`, 'application/vnd.example.note', 'about the thing');
  const root = (await crane('digest', `${name}:1`)).stdout.trim();
  expect((await crane('tag', `${name}@${artifact}`, `${root.replace(':', '-')}.0123456789abcdef.meta`)).code).toBe(0);

  const destination = `${world().destination.host}/${freshPath('artifacts')}`;
  const one = await project({
    sync: [{ source: `${name}:1`, destination: `${destination}:1`, referrers: true }],
    settings: { trust: [{ match: '**', level: 'copy' }] },
  });
  const ran = await one.run('run');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  expect(await attached(`${destination}@${child}`)).toEqual(['application/vnd.example.note']);
  expect((await crane('manifest', `${destination}@${note}`)).code).toBe(0);
  expect((await crane('digest', `${destination}:${root.replace(':', '-')}.0123456789abcdef.meta`)).stdout.trim()).toBe(
    artifact,
  );
});
