/** `sync-crane` with the real crane, between real registries. */
import { describe, expect, it } from 'vitest';
import { contractSuite } from '@slipway/core/testing';
import { AMD64, alpineImage } from '../../demo/world/images.ts';
import { imageLayout } from '../../demo/world/image.ts';
import plugin from '../../plugins/sync-crane/src/index.ts';
import { crane, freshPath, push, world } from '../world.ts';
import { contextOf, hostOf, must, pinned, pluginWorld, recorded, serve } from './plugin-world.ts';

const alpine = (): string => world().images['library/alpine:3.20'] ?? '';
const source = () => pinned(world().source.host, 'library/alpine', alpine());
const destination = (digest = alpine()) => pinned(world().destination.host, freshPath('crane'), digest);

contractSuite(
  { describe, it },
  {
    plugin,
    contract: 'image.copy@1',
    world: pluginWorld,
    input: async () => ({ sources: [source()], destination: destination() }),
  },
);

describe('sync-crane', () => {
  it('copies every platform by digest and makes no tag', async () => {
    const to = destination();
    const { host, context } = await ready();
    expect(await host.call('image.copy@1', { sources: [source()], destination: to }, context)).toEqual({
      ok: true,
      value: { digest: alpine() },
    });
    const index = must(await context.registry.manifest(to, 'destination'));
    if (index?.kind !== 'index') throw new Error('an index was expected');
    for (const child of index.value.manifests) {
      expect(must(await context.registry.head({ ...to, digest: child.digest }, 'destination'))).toBeDefined();
    }
    expect(index.value.manifests).toHaveLength(2);
    expect((await crane('ls', `${to.registry}/${to.path}`)).stdout.trim()).toBe('');
  });

  it('copies the children that hold no image too', async () => {
    const unknown = alpineImage({ os: 'unknown', architecture: 'unknown' }, [], 'attestation');
    const path = freshPath('unknown');
    const digest = await push(
      imageLayout([alpineImage(AMD64, [], 'image'), unknown]),
      `${world().source.host}/${path}:1`,
    );
    const from = pinned(world().source.host, path, digest);
    const to = destination(digest);
    const { host, context } = await ready();
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
    expect(context.lines.join('\n')).toContain(`could not read ${broken.registry}/library/alpine`);
  });

  it('names every source when all failed', async () => {
    const { host, context } = await ready();
    const gone = pinned(world().source.host, 'library/gone', alpine());
    const other = pinned(world().source.host, 'library/other', alpine());
    const result = await host.call('image.copy@1', { sources: [gone, other], destination: destination() }, context);
    expect(result).toMatchObject({
      ok: false,
      failure: { reason: 'registry', side: 'source', class: 'permanent', status: 404 },
    });
    if (result.ok) return;
    expect(result.failure.message).toContain('library/gone');
    expect(result.failure.message).toContain('library/other');
  });

  it('blames the destination, and asks no second source then', async () => {
    const starts: string[][] = [];
    const { host, context } = await ready();
    const closed = pinned(
      await serve((_, response) => void response.writeHead(403).end('{}')),
      'team/alpine',
      alpine(),
    );
    const result = await host.call(
      'image.copy@1',
      { sources: [source(), source()], destination: closed },
      recorded(context, starts),
    );
    expect(result).toMatchObject({
      ok: false,
      failure: { reason: 'registry', side: 'destination', host: closed.registry, status: 403, class: 'permanent' },
    });
    expect(starts).toHaveLength(1);
  });

  it('says where to log in when the source refuses', async () => {
    const { host, context } = await ready();
    const locked = pinned(
      await serve((request, response) => void response.writeHead(request.url === '/v2/' ? 200 : 401).end('{}')),
      'team/secret',
      alpine(),
    );
    const result = await host.call('image.copy@1', { sources: [locked], destination: destination() }, context);
    expect(result).toMatchObject({ ok: false, failure: { side: 'source', status: 401, class: 'permanent' } });
    if (!result.ok) expect(result.failure.hint).toContain(`log in to ${locked.registry}`);
  });

  it('refuses a source with another digest before anything is sent', async () => {
    const starts: string[][] = [];
    const { host, context } = await ready();
    const other = destination(world().images['library/busybox:1.36']);
    const result = await host.call(
      'image.copy@1',
      { sources: [source()], destination: other },
      recorded(context, starts),
    );
    expect(result.ok).toBe(false);
    expect(starts).toEqual([]);
  });

  it('does not weaken TLS at one end because the other end speaks plain HTTP', async () => {
    const starts: string[][] = [];
    const { host, context } = await ready();
    const mixed = { ...context, plainHttp: (name: string) => name === 'plain.invalid:5000' };
    const from = pinned('plain.invalid:5000', 'library/alpine', alpine());
    const to = pinned('secure.invalid', 'team/alpine', alpine());
    await host.call('image.copy@1', { sources: [from], destination: to }, recorded(mixed, starts));
    expect(starts.map(([, command, flag]) => [command, flag])).toEqual([['pull', '--insecure']]);
  });
});

async function ready() {
  const testWorld = await pluginWorld();
  return { host: await hostOf(plugin), context: await contextOf(plugin, testWorld) };
}
