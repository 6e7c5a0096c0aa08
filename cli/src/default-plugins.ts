/** The plugins that come with the command, each loaded when it is used; the settings add others and decide with `use`. */
import type { Plugin } from '@slipway/core';

export const defaultPlugins: ReadonlyMap<string, () => Promise<Plugin>> = new Map([
  ['sync-crane', async () => (await import('@slipway/sync-crane')).default],
  ['build-apko', async () => (await import('@slipway/build-apko')).default],
  ['build-docker', async () => (await import('@slipway/build-docker')).default],
  ['build-melange', async () => (await import('@slipway/build-melange')).default],
  ['scan-trivy', async () => (await import('@slipway/scan-trivy')).default],
  ['sign-cosign', async () => (await import('@slipway/sign-cosign')).default],
]);
