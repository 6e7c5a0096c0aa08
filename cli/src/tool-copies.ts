/** What the settings say of registries, and a tool that copies in the core's place is not told: nobody should rely on it. */
import type { Host, Settings, SyncEntry } from '@slipway/core';

const UNTOLD = ['ca', 'cert', 'connections', 'requestsPerSecond', 'bandwidth', 'reserve'] as const;

/** One warning, where an entry is copied between registries by a plugin that starts tools. */
export function untoldTools(
  { limits, mirrors, registries }: Pick<Settings, 'limits' | 'mirrors' | 'registries'>,
  host: Pick<Host, 'owner'>,
  copied: readonly SyncEntry[],
): readonly string[] {
  const plugin = host.owner('image.copy@1')?.plugin;
  const tools = plugin?.needs.tools.map(({ name }) => name) ?? [];
  if (plugin === undefined || tools.length === 0 || copied.length === 0) return [];
  const hosts = new Set([
    ...copied.map(({ source }) => source.registry),
    ...copied.flatMap(({ targets }) => targets.map(({ destination }) => destination.registry)),
    ...mirrors.map(({ mirror }) => hostOf(mirror)),
  ]);
  const untold = registries.flatMap((registry) => {
    const keys = UNTOLD.filter((key) => registry[key] !== undefined);
    return keys.length === 0 || !hosts.has(hostOf(registry.match)) ? [] : [`${keys.join(', ')} of ${registry.match}`];
  });
  const all = limits.bandwidth === undefined ? untold : [...untold, 'limits.bandwidth'];
  if (all.length === 0) return [];
  return [
    `${plugin.name} copies with ${tools.join(', ')}, which is not told ${all.join('; ')}: sync-registry keeps to it`,
  ];
}

function hostOf(prefix: string): string {
  return prefix.split('/')[0] ?? '';
}
