/** Where the bytes come from: they exist, they are the ones that were reviewed, and their registry is one we chose. */
import { formatReference, formatRepository, type Reference } from '../../reference.ts';
import type { Offline, Online, Problem, Rule, Subject } from '../model.ts';

const exists: Rule = {
  id: 'source-exists',
  severity: 'error',
  network: true,
  title: 'The source of a sync entry is in its registry.',
  why: 'A typing mistake shows here, before the run that would fail on it.',
  async check({ engine, destinations }: Online, { entry }: Subject) {
    if (entry.kind !== 'sync' || isOurs(entry.source, destinations)) return [];
    const name = formatReference(entry.source);
    const head = await engine.registry.head(entry.source, 'source');
    if (!head.ok)
      return [{ message: `${name} could not be looked at: ${head.failure.message}`, ...hintOf(head.failure) }];
    if (head.value !== undefined) return [];
    return [{ message: `${name} is not in its registry`, hint: 'check the name, the tag and the digest' }];
  },
};

const pinned: Rule = {
  id: 'source-pinned',
  severity: 'error',
  network: false,
  title: 'The source of a sync entry has a digest, in the config or in slipway.lock.yaml.',
  why: 'The digest is what was reviewed; a tag names something else tomorrow.',
  check({ destinations, locked }: Offline, { entry }: Subject): readonly Problem[] {
    if (entry.kind !== 'sync' || entry.source.kind === 'pinned') return [];
    if (locked.has(entry.id) || isOurs(entry.source, destinations)) return [];
    const hint =
      'run slipway update, commit slipway.lock.yaml, and run with --frozen; or write the digest after the tag';
    return [{ message: `${formatReference(entry.source)} has no digest`, hint }];
  },
};

const trusted: Rule = {
  id: 'source-trusted',
  severity: 'error',
  network: false,
  title: 'Sources and base images come from a trusted registry.',
  why: 'Anybody can publish under a name that looks right; check.trustedRegistries says where names are watched over.',
  check({ settings, destinations }: Offline, { entry, inputs }: Subject): readonly Problem[] {
    const allowed = settings.check?.trustedRegistries;
    if (allowed === undefined) return [];
    const sources = entry.kind === 'sync' ? [entry.source] : (inputs?.bases ?? []).map(({ reference }) => reference);
    return sources
      .filter((source) => !isOurs(source, destinations) && !allowed.some((prefix) => isBelow(source, prefix)))
      .map((source) => ({
        message: `${formatReference(source)} does not come from a trusted registry`,
        hint: `trusted are ${allowed.join(', ')} (check.trustedRegistries)`,
      }));
  },
};

const basePinned: Rule = {
  id: 'base-pinned',
  severity: 'warning',
  network: false,
  title: 'Base images are pinned by digest.',
  why: 'A base by tag alone changes what is built without a change that anybody reviewed.',
  check({ destinations }: Offline, { inputs }: Subject): readonly Problem[] {
    return (inputs?.bases ?? [])
      .filter(({ reference }) => reference.kind === 'tagged' && !isOurs(reference, destinations))
      .map(({ text }) => ({ message: `the base image ${text} has no digest`, hint: `write ${text}@sha256:…` }));
  },
};

export const sourceRules: readonly Rule[] = [exists, pinned, trusted, basePinned];

/** What this very config publishes is pinned by the graph, and is there once its entry ran. */
function isOurs(source: Reference, destinations: ReadonlySet<string>): boolean {
  if (source.kind === 'tagged') return destinations.has(formatReference(source));
  return [...destinations].some((destination) => destination.startsWith(`${formatRepository(source)}:`));
}

/** `docker.io/library` covers what is below it, and not `docker.io/library-of-others`. */
function isBelow(source: Reference, prefix: string): boolean {
  return `${formatRepository(source)}/`.startsWith(`${prefix}/`);
}

function hintOf({ hint }: { readonly hint?: string }): { readonly hint?: string } {
  return hint === undefined ? {} : { hint };
}
