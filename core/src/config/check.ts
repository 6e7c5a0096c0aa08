/** `check:` of the settings. */
import { configFailure, type ConfigFailure } from '../failure.ts';
import { ruleIds, type RuleId } from '../check/model.ts';
import { isDay } from './day.ts';
import type { Document } from './document.ts';
import { fields, items, text } from './fields.ts';
import { relativePosition } from './format.ts';
import { parsePrefix } from './hosts.ts';
import type { CheckSettings, CheckSeverity, CheckWaiver } from './settings-model.ts';

/** What is wrong goes to `problems`, waivers that have ended to `warnings`. `today` is a date, UTC. */
export function readCheck(
  document: Document,
  today: string,
  problems: ConfigFailure[],
  warnings: string[],
  folder: string,
): CheckSettings | undefined {
  const value = fields(document.data)['check'];
  if (value === undefined) return undefined;
  const check = fields(value);
  const documentedIn = text(check['documentedIn']);
  const trusted = check['trustedRegistries'];
  return {
    rules: Object.fromEntries(
      Object.entries(fields(check['rules'])).flatMap(([id, severity]) =>
        isRule(id) && isSeverity(severity) ? [[id, severity] as const] : [],
      ),
    ),
    waivers: items(check['waivers']).flatMap((item, index) => readWaiver(fields(item), index) ?? []),
    ...(trusted === undefined
      ? {}
      : { trustedRegistries: items(trusted).flatMap((item, index) => readPrefix(item, index) ?? []) }),
    ...(documentedIn === undefined ? {} : { documentedIn }),
  };

  function readWaiver(item: ReturnType<typeof fields>, index: number): CheckWaiver | undefined {
    const [rule, reason, expires, match] = [
      text(item['rule']),
      text(item['reason']),
      text(item['expires']),
      text(item['match']),
    ];
    if (rule === undefined || !isRule(rule) || reason === undefined || expires === undefined) return undefined;
    const at = document.locate(['check', 'waivers', index]);
    if (!isDay(expires)) {
      const where = document.locate(['check', 'waivers', index, 'expires']);
      problems.push(configFailure('"expires" is not a day of the calendar', 'for example 2027-01-31', where));
    } else if (expires < today) {
      warnings.push(`${relativePosition(at, folder)}: the waiver of ${rule} ended on ${expires}`);
    }
    return { rule, reason, expires, ...(match === undefined ? {} : { match }), at };
  }

  function readPrefix(item: unknown, index: number): string | undefined {
    const prefix = text(item);
    if (!prefix) return undefined;
    const parsed = parsePrefix(prefix);
    if (parsed.ok) return parsed.value;
    problems.push({ ...parsed.failure, at: document.locate(['check', 'trustedRegistries', index]) });
    return undefined;
  }
}

function isRule(id: string): id is RuleId {
  return (ruleIds as readonly string[]).includes(id);
}

function isSeverity(value: unknown): value is CheckSeverity {
  return value === 'off' || value === 'warning' || value === 'error';
}
