/** An entry's targets: which of them are there whatever day it is, and what their tags named when the probe looked. */
import type { Entry, Target } from '../config/model.ts';
import { formatReference, type Digest } from '../reference.ts';

/** Target's text → the digest that its tag named; `null`: there was no such tag. */
export type Before = Readonly<Record<string, Digest | null>>;

/**
 * Those whose tags name the entry's image at all times: its own destination, and all that no template has made. Others are there
 * only for the digests that were new on such a day.
 */
export function lastingTargets({ targets: [own, ...others] }: Pick<Entry, 'targets'>): readonly Target[] {
  return [own, ...others.filter(({ templated }) => !templated)];
}

/** What the entry's own tag named. */
export function ownDigest({ targets: [{ destination }] }: Pick<Entry, 'targets'>, before: Before): Digest | null {
  return before[formatReference(destination)] ?? null;
}

/** The targets whose tags named `digest` already. */
export function namedAlready(before: Before, digest: Digest | undefined): readonly string[] {
  return Object.entries(before).flatMap(([target, named]) => (named === digest ? [target] : []));
}
