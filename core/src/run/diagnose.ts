/** `slipway doctor`: what stands in the way of a run, found without changing anything, and how to mend each. */
import type { Failure } from '../failure.ts';
import { placeName } from '../location.ts';
import { formatRepository, isLocation, pin, type Reference, type Repository } from '../reference.ts';
import type { Engine } from './engine.ts';

export interface Diagnosis {
  /** As `tool crane`, `registry ghcr.io`, `signing`. */
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  readonly hint?: string;
}

/** Looks at every registry host and every layout once, by the first entry that names it. */
export async function diagnose(engine: Engine): Promise<readonly Diagnosis[]> {
  const { entries, plan } = engine.planned;
  const retags = new Set(plan.entries.filter(({ retagOf }) => retagOf !== undefined).map(({ id }) => id));
  const sources = new Map<string, Reference>();
  const destinations = new Map<string, Reference>();
  for (const entry of entries.values()) {
    const { destination } = entry.targets[0];
    if (!destinations.has(placeName(destination))) destinations.set(placeName(destination), destination);
    // A retag's source is what another entry publishes: there is nothing to be there yet.
    if (entry.kind !== 'sync' || retags.has(entry.id)) continue;
    for (const source of [entry.source, { ...entry.source, ...entry.referrers?.from }])
      if (!sources.has(placeName(source))) sources.set(placeName(source), source);
  }
  const looked = await Promise.all([
    ...[...sources.values()].map(async (reference): Promise<Diagnosis> => {
      const head = await engine.registry.head(reference, 'source');
      const what = `source ${described(reference)}`;
      return head.ok
        ? {
            what,
            state: 'ok',
            detail: head.value === undefined ? `answers; ${formatRepository(reference)} has no such tag` : 'answers',
          }
        : failed(what, head.failure);
    }),
    ...[...destinations.values()].map((reference) => lookAtDestination(engine, reference)),
  ]);
  return [...looked, ...signingOf(engine)];
}

async function lookAtDestination(engine: Engine, reference: Reference): Promise<Diagnosis> {
  const what = `destination ${described(reference)}`;
  const head = await engine.registry.head(reference, 'destination');
  if (!head.ok) return failed(what, head.failure);
  if (head.value === undefined) return { what, state: 'ok', detail: 'answers; nothing is published there yet' };
  const listed = await engine.registry.referrers(pin(reference, head.value.digest), 'destination');
  if (!listed.ok) return failed(what, listed.failure);
  return {
    what,
    state: 'ok',
    detail: isLocation(reference)
      ? 'can be read'
      : `answers; ${describeReferrers(engine.registry.referrersApi(reference))}`,
  };
}

function described(place: Repository): string {
  return `${isLocation(place) ? 'layout' : 'registry'} ${placeName(place)}`;
}

function describeReferrers(api: boolean | undefined): string {
  return api === true
    ? 'has the referrers API'
    : 'has no referrers API: attachments are listed under sha256-… tags, which a clean-up must keep';
}

/** Without a signer it is the command that knows whether one is needed. */
function signingOf({ signing }: Engine): readonly Diagnosis[] {
  if (signing === undefined) return [];
  const { signer } = signing;
  const detail = signer.kind === 'key' ? `by key, fingerprint ${signer.fingerprint}` : 'keyless';
  return [{ what: 'signing', state: 'ok', detail }];
}

function failed(what: string, { message, hint }: Failure): Diagnosis {
  return { what, state: 'failed', detail: message, ...(hint === undefined ? {} : { hint }) };
}
