/** The plugins that come with the command; the settings add others and decide with `use`. */
import type { Plugin, Settings } from '@slipway/core';

type Loaders = ReadonlyMap<string, () => Promise<Plugin>>;

/** Loaded always. */
export const defaultPlugins: Loaders = new Map([
  ['sync-registry', async () => (await import('@slipway/sync-registry')).default],
  ['build-apko', async () => (await import('@slipway/build-apko')).default],
  ['build-docker', async () => (await import('@slipway/build-docker')).default],
  ['build-melange', async () => (await import('@slipway/build-melange')).default],
  ['emit-github', async () => (await import('@slipway/emit-github')).default],
  ['scan-trivy', async () => (await import('@slipway/scan-trivy')).default],
  ['sign-cosign', async () => (await import('@slipway/sign-cosign')).default],
]);

/** In the place of a default one, for those whose settings say so. */
const otherPlugins: Loaders = new Map([
  ['list-tags', async () => (await import('@slipway/list-tags')).default],
  ['sbom-syft', async () => (await import('@slipway/sbom-syft')).default],
  ['sync-crane', async () => (await import('@slipway/sync-crane')).default],
  ['sync-skopeo', async () => (await import('@slipway/sync-skopeo')).default],
]);

/** The default plugins, and of the others those that the settings list or `use`: a swap is one line. */
export function pluginsFor({ plugins, use }: Pick<Settings, 'plugins' | 'use'>): Loaders {
  const named = new Set([...plugins.map(({ name }) => name), ...Object.values(use).map(({ plugin }) => plugin)]);
  return new Map([...ourPlugins].filter(([name]) => defaultPlugins.has(name) || named.has(name)));
}

/** All that come with Slipway. */
export const ourPlugins: Loaders = new Map([...defaultPlugins, ...otherPlugins]);
