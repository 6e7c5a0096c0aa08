/** Applies the rules to every planned entry, with the severities and waivers of the settings. */
import type { Config } from '../config/model.ts';
import type { CheckSettings, CheckSeverity, Settings } from '../config/settings-model.ts';
import type { Planned } from '../plan/create.ts';
import { entryNames, glob } from '../plan/pattern.ts';
import { formatReference } from '../reference.ts';
import type { Registry } from '../registry/model.ts';
import type { Engine } from '../run/engine.ts';
import { holdsOn } from '../policy/rules.ts';
import { verifyAll } from '../run/look.ts';
import type { CheckFinding, Offline, Online, Problem, Rule, Subject } from './model.ts';
import { destinationRules } from './rules/destinations.ts';
import { imageRules } from './rules/images.ts';
import { sourceRules } from './rules/sources.ts';

export const rules: readonly Rule[] = [...sourceRules, ...destinationRules, ...imageRules];

export interface CheckRequest {
  readonly config: Config;
  readonly settings: Settings;
  readonly planned: Planned;
  /** Entries whose source `slipway.lock.yaml` has a digest of, by id. */
  readonly locked: ReadonlySet<string>;
  /** Text of the file that `check.documentedIn` names; `undefined` when there is none. */
  readonly document: string | undefined;
  /** UTC, as `2026-11-23`: a waiver holds to the end of its last day. */
  readonly today: string;
  /** Absent: only rules that ask nobody. */
  readonly network?: { readonly engine: Engine; readonly anonymous: Registry; readonly signal: AbortSignal };
}

/** Findings in the order of the config, then of the rules. */
export async function runChecks(request: CheckRequest): Promise<readonly CheckFinding[]> {
  const { config, settings, planned, locked, document, network } = request;
  const destinations = new Set(
    config.entries.flatMap(({ targets }) => targets.map((one) => formatReference(one.destination))),
  );
  const offline: Offline = { settings, destinations, locked, document };
  let looked: ReturnType<typeof verifyAll> | undefined;
  const online: Online | undefined =
    network === undefined
      ? undefined
      : {
          ...offline,
          ...network,
          verified: () => (looked ??= verifyAll(network.engine, { deep: false, signal: network.signal })),
        };
  const active = rules.flatMap((rule) => {
    const severity = severityOf(rule, settings.check);
    return severity === 'off' ? [] : [{ rule, severity }];
  });
  const found = planned.plan.entries.flatMap((plannedEntry) => {
    const entry = planned.entries.get(plannedEntry.id);
    if (entry === undefined) return [];
    const inputs = planned.inputs.get(entry.id);
    const subject: Subject = { entry, planned: plannedEntry, ...(inputs === undefined ? {} : { inputs }) };
    return active.map(async ({ rule, severity }): Promise<readonly CheckFinding[]> => {
      const problems = await ask(rule, offline, online, subject);
      const waived = problems.length === 0 ? undefined : waiverFor(rule, subject, request);
      return problems.map((problem) => ({
        ...problem,
        rule: rule.id,
        severity,
        entry: entry.id,
        destination: formatReference(entry.targets[0].destination),
        at: entry.at,
        ...(waived === undefined ? {} : { waived }),
      }));
    });
  });
  return (await Promise.all(found)).flat();
}

async function ask(
  rule: Rule,
  offline: Offline,
  online: Online | undefined,
  subject: Subject,
): Promise<readonly Problem[]> {
  if (!rule.network) return rule.check(offline, subject);
  return online === undefined ? [] : rule.check(online, subject);
}

function severityOf(rule: Rule, check: CheckSettings | undefined): CheckSeverity {
  return check?.rules[rule.id] ?? rule.severity;
}

function waiverFor(rule: Rule, { entry }: Subject, { settings, today }: CheckRequest): string | undefined {
  const names = entryNames(entry);
  return settings.check?.waivers.find(
    (waiver) =>
      waiver.rule === rule.id &&
      holdsOn(waiver, today) &&
      (waiver.match === undefined || names.some(glob(waiver.match))),
  )?.reason;
}
