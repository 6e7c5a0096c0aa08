/**
 * Which values are events, so that whoever reads a journal may rely on the types: journals come from other machines, are torn by
 * full disks, and are written to by others. What is checked is all that a reader takes apart; fields of later versions may be there.
 */
import type { Event } from './events.ts';

type Check = (value: unknown) => boolean;

/** Milliseconds from 1970 that a date can be made of: https://tc39.es/ecma262/#sec-time-values-and-time-range */
const MAX_TIME = 8.64e15;

const text: Check = (value) => typeof value === 'string';
/** JSON has no NaN, but its 1e999 is infinite. */
const amount: Check = (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0;
const time: Check = (value) => typeof value === 'number' && Math.abs(value) <= MAX_TIME;
const flag: Check = (value) => typeof value === 'boolean';

function orNull(check: Check): Check {
  return (value) => value === null || check(value);
}

function list(item: Check): Check {
  return (value) => Array.isArray(value) && value.every(item);
}

type Fields = Readonly<Record<string, Check>>;

/** Other fields may be there too. */
function fields(required: Fields, optional: Fields = {}): Check {
  const [must, may] = [Object.entries(required), Object.entries(optional)];
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
    const own = value as Readonly<Record<string, unknown>>;
    for (const [name, check] of must) if (!check(own[name])) return false;
    for (const [name, check] of may) if (own[name] !== undefined && !check(own[name])) return false;
    return true;
  };
}

const anyFailure = fields(
  { reason: text, class: text, message: text },
  {
    hint: text,
    side: text,
    host: text,
    tool: text,
    plugin: text,
    output: text,
    standing: fields({ tag: text, digest: orNull(text) }),
  },
);
const waivers = list(fields({ id: text, reason: text, expires: text }));
const refusal = fields({ refusals: list(text) }, { waived: waivers });
const failure: Check = (value) =>
  anyFailure(value) && ((value as { readonly reason: string }).reason !== 'policy' || refusal(value));
const tasks = list(fields({ id: text, contract: text, entry: orNull(text) }, { needs: list(text) }));
const changes = list(fields({ part: text, from: orNull(text), to: orNull(text) }));
const findingCounts = fields({ CRITICAL: amount, HIGH: amount, MEDIUM: amount, LOW: amount, UNKNOWN: amount });
const row = fields(
  {
    id: text,
    destination: text,
    digest: orNull(text),
    outcome: text,
    before: orNull(text),
    why: text,
    findings: orNull(findingCounts),
    signed: flag,
    size: orNull(amount),
    packages: orNull(amount),
    seconds: amount,
  },
  { backup: text, unscanned: list(text), endOfLife: list(text), waived: waivers, failure },
);
const finding = fields(
  { id: text, severity: text, package: text, installed: text, platforms: list(text) },
  { purl: text, fixed: text, title: text, layer: text },
);
const scan = fields(
  {
    scanner: fields({ name: text, version: text }),
    finishedAt: text,
    platforms: list(fields({ platform: text, status: text, findings: list(finding) }, { os: text, endOfLife: flag })),
  },
  { database: text },
);
const image = fields(
  {
    digest: text,
    packages: list(
      fields({
        platform: text,
        packages: list(fields({ name: text, version: text }, { purl: text, license: text })),
      }),
    ),
    attachments: list(fields({ predicateType: text, referrer: text, signer: text }, { time: text })),
  },
  { scan },
);

const EVENTS: Readonly<Record<Event['type'], Check>> = {
  'run.start': fields(
    { run: text, command: text, version: text, entries: list(text), tasks },
    { cosign: text, asked: fields({}, { config: text, settings: text, to: text }) },
  ),
  'entry.chain': fields({ entry: text, why: text, tasks }, { changes }),
  'task.start': fields({ task: text, attempt: amount }),
  'task.log': fields({ task: text, line: text }),
  'task.progress': fields({ task: text, bytes: amount }),
  'task.tool': fields({ task: text, tool: text, version: text }),
  'task.retry': fields({ task: text, failure, wait: amount }),
  'task.done': fields({ task: text, state: text, ms: amount }, { failure }),
  'tag.move': fields({ entry: text, tag: text, from: orNull(text), to: text }),
  'tag.delete': fields({ tag: text, digest: text }),
  'tag.done': fields({ tag: text, digest: text, state: text }, { failure }),
  image: fields({ entry: text, image }),
  'entry.done': fields({ entry: text, rows: list(row) }),
  warning: fields({ message: text }),
  'run.done': fields({ exitCode: amount, seconds: amount }),
};

/** An event of a kind that only later versions know is none: nothing here could say what it means. */
export function isEvent(value: unknown): value is Event {
  if (typeof value !== 'object' || value === null || !('type' in value) || !('t' in value)) return false;
  const { type, t } = value;
  return time(t) && typeof type === 'string' && Object.hasOwn(EVENTS, type) && EVENTS[type as Event['type']](value);
}
