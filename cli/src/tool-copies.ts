/** What the settings say of registries, and a tool that copies in the core's place is not told: nobody should rely on it. */
import { areInRegistries, type Host, type Planned, type Settings, type SyncEntry } from '@slipway/core';

const UNTOLD = ['ca', 'cert', 'connections', 'requestsPerSecond', 'bandwidth', 'reserve'] as const;

/** One warning, where an entry is copied between registries by a plugin that starts tools. */
export function untoldTools(
  { limits, mirrors, registries }: Pick<Settings, 'limits' | 'mirrors' | 'registries'>,
  host: Pick<Host, 'owner'>,
  planned: Planned,
): readonly string[] {
  const plugin = host.owner('image.copy@1')?.plugin;
  const tools = plugin?.needs.tools.map(({ name }) => name) ?? [];
  const particular = registries.flatMap(({ match, ...registry }) => {
    const keys = UNTOLD.filter((key) => registry[key] !== undefined);
    return keys.length === 0 ? [] : [{ match, keys }];
  });
  // Asked first: plans can be long, and hardly anybody is told anything.
  if (plugin === undefined || tools.length === 0 || (particular.length === 0 && limits.bandwidth === undefined))
    return [];
  const copied = copiedEntries(planned);
  if (copied.length === 0) return [];
  const hosts = new Set([
    ...copied.map(({ source }) => source.registry),
    ...copied.flatMap(({ targets }) => targets.map(({ destination }) => destination.registry)),
    ...mirrors.map(({ mirror }) => hostOf(mirror)),
  ]);
  const untold = particular.flatMap(({ match, keys }) =>
    hosts.has(hostOf(match)) ? [`${keys.join(', ')} of ${match}`] : [],
  );
  const all = limits.bandwidth === undefined ? untold : [...untold, 'limits.bandwidth'];
  if (all.length === 0) return [];
  return [
    `${plugin.name} copies with ${tools.join(', ')}, which is not told ${all.join('; ')}: sync-registry keeps to it`,
  ];
}

/** Those that a plugin is asked to copy. */
function copiedEntries({ plan, entries }: Planned): readonly SyncEntry[] {
  const copies = plan.tasks.filter(({ contract }) => contract === 'image.copy@1');
  return copies.flatMap(({ entry }) => {
    const found = entries.get(entry ?? '');
    return found?.kind === 'sync' && areInRegistries(found.source, found.targets[0].destination) ? [found] : [];
  });
}

function hostOf(prefix: string): string {
  return prefix.split('/')[0] ?? '';
}
