/** `sync-skopeo` with the real skopeo, between real registries, and beside crane. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TaskContext } from '@slipway/core';
import { contractSuite } from '@slipway/core/testing';
import { alpineImage, AMD64, ARM64 } from '../../demo/world/images.ts';
import { imageLayout } from '../../demo/world/image.ts';
import crane from '../../plugins/sync-crane/src/index.ts';
import plugin from '../../plugins/sync-skopeo/src/index.ts';
import { crane as runCrane, freshPath, push, world } from '../world.ts';
import { contextOf, hostOf, must, pinned, pluginWorld, recorded, serve } from './plugin-world.ts';

const alpine = (): string => world().images['library/alpine:3.20'] ?? '';
const source = () => pinned(world().source.host, 'library/alpine', alpine());
const destination = (digest = alpine()) => pinned(world().destination.host, freshPath('skopeo'), digest);

contractSuite(
  { describe, it },
  {
    plugin,
    contract: 'image.copy@1',
    world: pluginWorld,
    input: async () => ({ sources: [source()], destination: destination() }),
    against: { plugin: crane },
  },
);

describe('sync-skopeo', () => {
  it('copies every platform by digest and makes no tag', async () => {
    const to = destination();
    const { host, context } = await ready();
    const copied = await host.call('image.copy@1', { sources: [source()], destination: to }, context);
    expect(copied).toEqual({ ok: true, value: { digest: alpine() } });
    const index = must(await context.registry.manifest(to, 'destination'));
    if (index?.kind !== 'index') throw new Error('an index was expected');
    for (const child of index.value.manifests) {
      expect(must(await context.registry.head({ ...to, digest: child.digest }, 'destination'))).toBeDefined();
    }
    expect(index.value.manifests).toHaveLength(2);
    expect((await runCrane('ls', `${to.registry}/${to.path}`)).stdout.trim()).toBe('');
  });

  it('refuses an index that the old skopeo cannot keep, by name and version, and writes none', async () => {
    const from = await pushedWith({ artifactType: 'application/vnd.oci.image.config.v1+json' });
    const to = destination(from.digest);
    const { host, context } = await ready();
    const version = must(await context.toolVersion('skopeo'));
    const result = await host.call('image.copy@1', { sources: [from], destination: to }, context);
    // Newer ones copy it; then it must be whole.
    if (result.ok) return expect(must(await context.registry.head(to, 'destination'))?.digest).toBe(from.digest);
    expect(result.failure).toMatchObject({ reason: 'tool', tool: 'skopeo', class: 'permanent' });
    expect(result.failure.message).toContain(`skopeo ${version} cannot copy the index`);
    expect(result.failure.message).toContain('artifactType');
    expect(result.failure.hint).toContain('sync-crane');
    expect(must(await context.registry.head(to, 'destination'))).toBeUndefined();
  });

  it('takes the next source when a mirror fails, and says that it did', async () => {
    const { host, context } = await ready();
    const broken = pinned(await serve((_, response) => void response.writeHead(503).end()), 'library/alpine', alpine());
    must(await host.call('image.copy@1', { sources: [broken, source()], destination: destination() }, context));
    expect(context.lines.join('\n')).toContain(`could not read ${broken.registry}/library/alpine`);
  });

  it('blames the destination, and asks no second source then', async () => {
    const starts: string[][] = [];
    const { host, context } = await ready();
    const closed = pinned(
      await serve((_, response) => void response.writeHead(403).end('{}')),
      'team/alpine',
      alpine(),
    );
    const input = { sources: [source(), source()], destination: closed } as const;
    expect(await host.call('image.copy@1', input, recorded(context, starts))).toMatchObject({
      ok: false,
      failure: { reason: 'registry', side: 'destination', host: closed.registry, status: 403, class: 'permanent' },
    });
    expect(starts).toHaveLength(1);
  });

  it('brings its own policy and registries.conf, whatever the machine has', async () => {
    const { host, context } = await ready();
    const seen: string[] = [];
    const exec: TaskContext['exec'] = async (tool, args, options) => {
      const containers = join(options?.env?.['HOME'] ?? '', '.config', 'containers');
      expect(args[args.indexOf('--policy') + 1]).toBe(join(containers, 'policy.json'));
      for (const name of ['policy.json', 'registries.conf']) seen.push(await readFile(join(containers, name), 'utf8'));
      seen.push(...(await readdir(join(containers, 'registries.conf.d'))));
      return context.exec(tool, args, options);
    };
    const input = { sources: [source()], destination: destination() } as const;
    must(await host.call('image.copy@1', input, { ...context, exec }));
    expect(seen).toEqual(['{"default":[{"type":"insecureAcceptAnything"}]}', '']);
  });

  it('shows each registry its own credentials, and not those that podman keeps', async () => {
    const seen: (string | undefined)[] = [];
    const locked = pinned(
      await serve((request, response) => {
        seen.push(request.headers.authorization);
        response.writeHead(401, { 'www-authenticate': 'Basic realm="test"' }).end('{}');
      }),
      'team/secret',
      alpine(),
    );
    const auth = Buffer.from('robot:canary').toString('base64');
    const asked: (readonly string[])[] = [];
    const dockerConfigFor = async (hosts: readonly string[]) => {
      asked.push(hosts);
      return { auths: { [locked.registry]: { auth } } };
    };
    const context = await contextOf(plugin, await pluginWorld({ dockerConfigFor }));
    const result = await (
      await hostOf(plugin)
    ).call('image.copy@1', { sources: [locked], destination: destination() }, context);
    expect(result).toMatchObject({ ok: false, failure: { side: 'source', status: 401 } });
    expect(asked).toEqual([[locked.registry, world().destination.host]]);
    expect(seen).toContain(`Basic ${auth}`);
  });

  it('does not weaken TLS at one end because the other end speaks plain HTTP', async () => {
    const starts: string[][] = [];
    const { host, context } = await ready();
    const mixed = { ...context, plainHttp: (name: string) => name === 'plain.invalid:5000' };
    const from = pinned('plain.invalid:5000', 'library/alpine', alpine());
    const to = pinned('secure.invalid', 'team/alpine', alpine());
    await host.call('image.copy@1', { sources: [from], destination: to }, recorded(mixed, starts));
    expect(starts[0]).toContain('--src-tls-verify=false');
    expect(starts[0]).not.toContain('--dest-tls-verify=false');
  });
});

/** Two platforms, and in each descriptor of the index what `changes` says, as apko 1.2 writes them. */
async function pushedWith(changes: Readonly<Record<string, unknown>>) {
  const layout = imageLayout([alpineImage(AMD64, [], 'artifact type'), alpineImage(ARM64, [], 'artifact type')]);
  const index = JSON.parse(Buffer.from(layout.blobs.get(layout.root.digest) ?? []).toString('utf8')) as {
    readonly manifests: readonly object[];
  };
  const text = JSON.stringify({ ...index, manifests: index.manifests.map((each) => ({ ...each, ...changes })) });
  const path = freshPath('artifact-type');
  await push(layout, `${world().source.host}/${path}:1`);
  const answer = await fetch(`http://${world().source.host}/v2/${path}/manifests/2`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.oci.image.index.v1+json' },
    body: text,
  });
  expect(answer.status).toBe(201);
  return pinned(world().source.host, path, answer.headers.get('docker-content-digest') ?? '');
}

async function ready() {
  const testWorld = await pluginWorld();
  return { host: await hostOf(plugin), context: await contextOf(plugin, testWorld) };
}
