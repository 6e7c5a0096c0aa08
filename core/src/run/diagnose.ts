/** `slipway doctor`: what stands in the way of a run, found without changing anything, and how to mend each. */
import { ok, type Failure } from '../failure.ts';
import { placeName } from '../location.ts';
import { formatRepository, isLocation, pin, type Reference, type Repository } from '../reference.ts';
import { lookTask } from './believe.ts';
import type { Engine } from './engine.ts';
import { trySigning } from './steps/sign-one.ts';

export interface Diagnosis {
  /** As `tool crane`, `registry ghcr.io`, `signing`. */
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'failed';
  readonly detail: string;
  readonly hint?: string;
}

/** Looks at every registry host and every layout once, by the first entry that names it. */
export async function diagnose(engine: Engine, signal: AbortSignal): Promise<readonly Diagnosis[]> {
  const { entries, plan } = engine.planned;
  const retags = new Set(plan.entries.filter(({ retagOf }) => retagOf !== undefined).map(({ id }) => id));
  const sources = new Map<string, Reference>();
  /** Where what refers to images is, and no tag of theirs. */
  const beside = new Map<string, Reference>();
  const destinations = new Map<string, Reference>();
  for (const entry of entries.values()) {
    const { destination } = entry.targets[0];
    if (!destinations.has(placeName(destination))) destinations.set(placeName(destination), destination);
    // A retag's source is what another entry publishes: there is nothing to be there yet.
    if (entry.kind !== 'sync' || retags.has(entry.id)) continue;
    if (!sources.has(placeName(entry.source))) sources.set(placeName(entry.source), entry.source);
    const from = entry.referrers?.from;
    if (from !== undefined) beside.set(placeName(from), { ...entry.source, ...from });
  }
  const looked = await Promise.all([
    ...[...new Map([...beside, ...sources])].map(([place, reference]) =>
      lookAtSource(engine, reference, sources.has(place)),
    ),
    ...[...destinations.values()].map((reference) => lookAtDestination(engine, reference)),
  ]);
  return [...looked, ...(await signingOf(engine, signal))];
}

/** `tagged`: it names an image that is to be there. */
async function lookAtSource(engine: Engine, reference: Reference, tagged: boolean): Promise<Diagnosis> {
  const head = await engine.registry.head(reference, 'source');
  const what = `source ${described(reference)}`;
  if (!head.ok) return failed(what, head.failure);
  const missing = tagged && head.value === undefined;
  return { what, state: 'ok', detail: missing ? `answers; ${formatRepository(reference)} has no such tag` : 'answers' };
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

/** Without a signer it is the command that knows whether one is needed; without its tool, nobody knows whether the key opens. */
async function signingOf(engine: Engine, signal: AbortSignal): Promise<readonly Diagnosis[]> {
  if (engine.signing === undefined) return [];
  const { signer } = engine.signing;
  const what = 'signing';
  const signs = engine.planned.plan.tasks.some(({ contract }) => contract === 'statement.sign@1');
  const able = signs ? await trySigning({ engine, task: lookTask('doctor'), signal }) : ok(undefined);
  if (!able.ok && able.failure.reason !== 'missing-tool') return [failed(what, able.failure)];
  return [
    { what, state: 'ok', detail: signer.kind === 'key' ? `by key, fingerprint ${signer.fingerprint}` : 'keyless' },
  ];
}

function failed(what: string, { message, hint }: Failure): Diagnosis {
  return { what, state: 'failed', detail: message, ...(hint === undefined ? {} : { hint }) };
}
