/** `sync-registry` between real registries; what it copied is looked at with other tools. */
import { describe, expect, it } from 'vitest';
import { contractSuite } from '@slipway/core/testing';
import { imageLayout } from '../../demo/world/image.ts';
import { AMD64, alpineImage } from '../../demo/world/images.ts';
import plugin from '../../plugins/sync-registry/src/index.ts';
import { crane, freshPath, push, skopeo, world } from '../world.ts';
import { contextOf, hostOf, must, pinned, pluginWorld, serve } from './plugin-world.ts';

const alpine = (): string => world().images['library/alpine:3.20'] ?? '';
const source = () => pinned(world().source.host, 'library/alpine', alpine());
const destination = (digest = alpine()) => pinned(world().destination.host, freshPath('registry'), digest);

contractSuite(
  { describe, it },
  {
    plugin,
    contract: 'image.copy@1',
    world: pluginWorld,
    input: async () => ({ sources: [source()], destination: destination() }),
  },
);

describe('sync-registry', () => {
  it('copies every platform by digest and makes no tag, as crane and skopeo see it', async () => {
    const to = destination();
    const { host, context } = await ready();
    expect(await host.call('image.copy@1', { sources: [source()], destination: to }, context)).toEqual({
      ok: true,
      value: { digest: alpine() },
    });
    const at = `${to.registry}/${to.path}`;
    const original = await crane('manifest', `${source().registry}/library/alpine@${alpine()}`);
    expect((await crane('manifest', `${at}@${alpine()}`)).stdout).toBe(original.stdout);
    expect((await crane('validate', '--remote', `${at}@${alpine()}`)).code).toBe(0);
    expect((await crane('ls', at)).stdout.trim()).toBe('');
    const raw = await skopeo('inspect', '--tls-verify=false', '--raw', `docker://${at}@${alpine()}`);
    expect(raw.stdout.trim()).toBe(original.stdout.trim());
    expect(context.lines.join('\n')).toMatch(/sent \d+ blobs/);
  });

  it('copies the children that hold no image too', async () => {
    const unknown = alpineImage({ os: 'unknown', architecture: 'unknown' }, [], 'attestation');
    const path = freshPath('unknown');
    const digest = await push(
      imageLayout([alpineImage(AMD64, [], 'image'), unknown]),
      `${world().source.host}/${path}:1`,
    );
    const to = destination(digest);
    const { host, context } = await ready();
    const from = pinned(world().source.host, path, digest);
    must(await host.call('image.copy@1', { sources: [from], destination: to }, context));
    const index = must(await context.registry.manifest(to, 'destination'));
    expect(index?.kind === 'index' && index.value.manifests.map((child) => child.platform?.os)).toEqual([
      'linux',
      'unknown',
    ]);
  });

  it('takes the next source when a mirror fails, and says that it did', async () => {
    const { host, context } = await ready();
    const broken = pinned(await serve((_, response) => void response.writeHead(503).end()), 'library/alpine', alpine());
    must(await host.call('image.copy@1', { sources: [broken, source()], destination: destination() }, context));
    expect(context.lines.join('\n')).toContain(`${broken.registry} did not give the manifest`);
  });

  it('names every source when all failed', async () => {
    const { host, context } = await ready();
    const gone = pinned(world().source.host, 'library/gone', alpine());
    const other = pinned(world().source.host, 'library/other', alpine());
    const result = await host.call('image.copy@1', { sources: [gone, other], destination: destination() }, context);
    expect(result).toMatchObject({ ok: false, failure: { reason: 'registry', side: 'source', class: 'permanent' } });
    if (result.ok) return;
    expect(result.failure.message).toContain('library/gone');
    expect(result.failure.message).toContain('library/other');
  });

  it('blames the destination, and asks no second source then', async () => {
    const asked: string[] = [];
    const { host, context } = await ready();
    const closed = pinned(
      await serve((request, response) => {
        asked.push(`${request.method}`);
        response.writeHead(request.method === 'HEAD' ? 404 : 403).end('{}');
      }),
      'team/alpine',
      alpine(),
    );
    const second = pinned(await serve((_, response) => void response.destroy()), 'library/alpine', alpine());
    const result = await host.call('image.copy@1', { sources: [source(), second], destination: closed }, context);
    expect(result).toMatchObject({
      ok: false,
      failure: { reason: 'registry', side: 'destination', host: closed.registry, status: 403, class: 'permanent' },
    });
    if (!result.ok) expect(result.failure.message).not.toContain(second.registry);
    expect(asked).not.toContain('PUT');
  });

  it('says where to log in when the source refuses', async () => {
    const { host, context } = await ready();
    const locked = pinned(
      await serve((_, response) => void response.writeHead(401).end('{}')),
      'team/secret',
      alpine(),
    );
    const result = await host.call('image.copy@1', { sources: [locked], destination: destination() }, context);
    expect(result).toMatchObject({ ok: false, failure: { side: 'source', status: 401, class: 'permanent' } });
    if (!result.ok) expect(result.failure.hint).toContain(locked.registry);
  });
});

async function ready() {
  const testWorld = await pluginWorld();
  return { host: await hostOf(plugin), context: await contextOf(plugin, testWorld) };
}
