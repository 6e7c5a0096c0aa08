/** Operating systems for which nobody publishes advisories any more, as a scan says. Pure. */
import type { PlatformScan } from '../trust/model.ts';

/** As `alpine 3.20`, each with the platforms of its images; of one without a name, the platform. */
export function endedSystems(platforms: readonly PlatformScan[]): ReadonlyMap<string, readonly string[]> {
  const ended = Map.groupBy(
    platforms.filter(({ endOfLife }) => endOfLife === true),
    ({ os, platform }) => os ?? platform,
  );
  return new Map([...ended].map(([system, all]) => [system, all.map(({ platform }) => platform)]));
}
