/** `core.gate@1`: the policy, then the plugins' gates; a refused image leaves its tag as it was. */
import { fail, ok, type PolicyFailure, type Position, type Result } from '../../failure.ts';
import { formatReference, pin, type Pinned } from '../../reference.ts';
import { adviceOn, type Refused } from '../../policy/advice.ts';
import { judge, type Judgement } from '../../policy/gate.ts';
import { newestScan } from '../../trust/required.ts';
import type { Scan } from '../../trust/model.ts';
import { believe } from '../believe.ts';
import type { GateOutput, Image, Probed, ProbedSync, StepContext } from '../engine.ts';
import { namedAlready, ownDigest } from '../targets.ts';
import { attachedKind, policyFor, today } from './standing.ts';
import type { ScanOutput } from './scan.ts';
import { formatDigest } from '../../report/wording.ts';

export type GateInput =
  | { readonly image: Image; readonly probed: Probed; readonly scan: ScanOutput }
  /** Of a retag: the scan that is attached is judged. */
  | { readonly image: Image; readonly probed: ProbedSync; readonly scan?: undefined };

export async function gateStep(step: StepContext, input: GateInput): Promise<Result<GateOutput>> {
  const { engine, entry } = step;
  const { image, probed } = input;
  const attached = input.scan === undefined ? await attachedScan(step, input.probed.source) : ok(input.scan.scan);
  if (!attached.ok) return attached;
  const scan = attached.value;
  if (scan === undefined) {
    return fail({
      reason: 'trust',
      class: 'permanent',
      message: `${formatDigest(image.digest)} has no scan of ours to judge it by`,
      hint: 'only images that came through this chain can be tagged again; run the entry that builds it first',
      at: entry.at,
    });
  }
  const rules = policyFor(step);
  const before = rules.notWorse ? await scanBefore(step, probed) : undefined;
  if (before !== undefined && !before.ok) return before;
  const judgement = judge({
    rules,
    scan,
    today: today(engine),
    ...(before?.value === undefined ? {} : { before: before.value }),
  });
  const denied = await engine.host.gate({ entry: entry.id, subject: image.subject, scan });
  if (!denied.ok) return denied;
  const refusals = denied.value === undefined ? judgement.refusals : [...judgement.refusals, denied.value];
  if (refusals.length === 0) return ok({ judgement });
  const tags = namedAlready(probed.before, image.digest);
  const already = tags.length === 0 ? '' : `; it is public already as ${tags.join(', ')}`;
  const what = `${formatDigest(image.digest)} for ${formatReference(entry.targets[0].destination)}${already}`;
  return fail(
    refusalOf(
      what,
      { ...judgement, refusals },
      { kind: attachedKind(step), byPlugin: denied.value !== undefined, at: entry.at },
    ),
  );
}

export function refusalOf(
  what: string,
  { refusals, waived, reasons, expiredWaivers }: Omit<Judgement, 'verdict' | 'counts' | 'unscanned' | 'unscannable'>,
  { at, ...by }: Pick<Refused, 'kind' | 'byPlugin'> & { readonly at: Position },
): PolicyFailure {
  return {
    reason: 'policy',
    class: 'policy',
    message: `the gate refused ${what}: ${refusals[0] ?? ''}${more(refusals)}`,
    hint: adviceOn({ reasons, expiredWaivers, ...by }),
    refusals,
    ...(waived.length === 0 ? {} : { waived }),
    at,
  };
}

function more(refusals: readonly string[]): string {
  return refusals.length > 1 ? ` (and ${refusals.length - 1} more)` : '';
}

async function attachedScan(step: StepContext, subject: Pinned): Promise<Result<Scan | undefined>> {
  const believed = await believe(step, subject, step.engine.signing);
  return believed.ok ? ok(newestScan(believed.value)?.content.scan) : believed;
}

/** The scan attached to what the tag names now, for `notWorse`. */
async function scanBefore(step: StepContext, probed: Probed): Promise<Result<Scan | undefined>> {
  const { entry } = step;
  const digest = ownDigest(entry, probed.before);
  return digest === null ? ok(undefined) : attachedScan(step, pin(entry.targets[0].destination, digest));
}
