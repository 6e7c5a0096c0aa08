/** `policy:` of the settings. */
import { configFailure, type ConfigFailure } from '../failure.ts';
import { isDay } from './day.ts';
import type { Document, Path } from './document.ts';
import { parseDuration } from './duration.ts';
import { fields, flag, items, text, texts, type Fields } from './fields.ts';
import { relativePosition } from './format.ts';
import {
  severities,
  type GateOverride,
  type GateRules,
  type Policy,
  type Severity,
  type Verdict,
  type Waiver,
} from './settings-model.ts';

const BUILD: GateRules = {
  verdict: 'refuse',
  severities: ['CRITICAL', 'HIGH'],
  fixable: true,
  unscanned: 'report',
  unscannable: 'refuse',
  endOfLife: 'report',
  notWorse: false,
  waivers: [],
};

/** Where the settings say nothing. Nobody here can fix what upstream ships, so its findings are shown and attested. */
export const defaultRules: Readonly<Record<'build' | 'sync', GateRules>> = {
  build: BUILD,
  sync: { ...BUILD, verdict: 'report', unscannable: 'report' },
};

/** What is wrong goes to `problems`, waivers that have ended to `warnings`. `today` is a date, UTC. */
export function readPolicy(
  document: Document,
  today: string,
  problems: ConfigFailure[],
  warnings: string[],
  folder: string,
): Policy {
  const policy = fields(fields(document.data)['policy']);
  const maxAge = parseDuration(text(fields(policy['scan'])['maxAge']) ?? '');
  return {
    build: readRules(policy['build'], defaultRules.build),
    sync: readRules(policy['sync'], defaultRules.sync),
    overrides: items(policy['overrides']).map((item, index): GateOverride => {
      const override = fields(item);
      const at = document.locate(['policy', 'overrides', index]);
      return { match: text(override['match']) ?? '', ...readDifferences(override), at };
    }),
    waivers: items(policy['waivers']).flatMap(
      (item, index) => readWaiver(fields(item), ['policy', 'waivers', index]) ?? [],
    ),
    ...(maxAge === undefined ? {} : { scanMaxAge: maxAge }),
  };

  function readWaiver(item: Fields, path: Path): Waiver | undefined {
    const [id, reason, expires, match] = [
      text(item['id']),
      text(item['reason']),
      text(item['expires']),
      text(item['match']),
    ];
    if (id === undefined || reason === undefined || expires === undefined) return undefined;
    const at = document.locate(path);
    if (!isDay(expires)) {
      problems.push(
        configFailure(
          `"expires" is not a day of the calendar`,
          'for example 2027-01-31',
          document.locate([...path, 'expires']),
        ),
      );
    } else if (expires < today) {
      warnings.push(`${relativePosition(at, folder)}: the waiver of ${id} ended on ${expires}`);
    }
    return { id, ...(match === undefined ? {} : { match }), reason, expires, at };
  }
}

function readRules(value: unknown, defaults: GateRules): GateRules {
  const short = verdict(value);
  return short === undefined ? { ...defaults, ...readDifferences(fields(value)) } : { ...defaults, verdict: short };
}

function readDifferences(item: Fields): Partial<Omit<GateRules, 'waivers'>> {
  const [own, unscanned, unscannable, endOfLife] = [
    verdict(item['verdict']),
    verdict(item['unscanned']),
    verdict(item['unscannable']),
    verdict(item['endOfLife']),
  ];
  const [fixable, notWorse] = [flag(item['fixable']), flag(item['notWorse'])];
  return {
    ...(own === undefined ? {} : { verdict: own }),
    ...(item['severities'] === undefined ? {} : { severities: texts(item['severities']).filter(isSeverity) }),
    ...(fixable === undefined ? {} : { fixable }),
    ...(unscanned === undefined ? {} : { unscanned }),
    ...(unscannable === undefined ? {} : { unscannable }),
    ...(endOfLife === undefined ? {} : { endOfLife }),
    ...(notWorse === undefined ? {} : { notWorse }),
  };
}

function verdict(value: unknown): Verdict | undefined {
  return value === 'refuse' || value === 'report' ? value : undefined;
}

function isSeverity(value: string): value is Severity {
  return (severities as readonly string[]).includes(value);
}
