/** What people read: each thing once, aligned, calm, and safe for a terminal. */
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../failure.ts';
import type { Event, Row } from '../journal/events.ts';
import type { Digest } from '../reference.ts';
import { cosignCommands } from './cosign.ts';
import { headline } from './failure.ts';
import { liveView } from './live.ts';
import { taskLogs } from './logs.ts';
import { formatDiagnoses, formatProbes, formatVerified } from './looked.ts';
import { plainView } from './plain.ts';
import { formatCounts, formatFailures, formatTable } from './table.ts';
import { formatBytes, formatDigest, formatFindings, formatSeconds } from './wording.ts';

const digest = `sha256:${'ab'.repeat(32)}`;
const row: Row = {
  id: 'sync:registry.example/a:1',
  destination: 'registry.example/a:1',
  digest,
  outcome: 'published',
  before: null,
  why: 'there is no such tag',
  findings: { CRITICAL: 1, HIGH: 0, MEDIUM: 0, LOW: 2, UNKNOWN: 0 },
  signed: true,
  size: 15_400,
  packages: 12,
  seconds: 4.66,
};

const toolFailure: Failure = {
  reason: 'tool',
  class: 'transient',
  tool: 'crane',
  message: 'crane ended with exit code 1: unexpected EOF',
  hint: 'the network had a problem',
  output: 'first\nunexpected EOF',
};
const refusals = ['CVE-1 (HIGH) in a', 'CVE-2 (HIGH) in b', 'CVE-3 (HIGH) in c'];
const policyFailure: Failure = {
  reason: 'policy',
  class: 'policy',
  message: 'the gate refused sha256:ab: CVE-1 (HIGH) in a (and 2 more)',
  refusals,
};

describe('numbers', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [15_400, '15.4 kB'],
    [2_249_000, '2.2 MB'],
    [3e15, '3000.0 TB'],
  ])('%d bytes', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [0.04, '0.0 s'],
    [59.9, '59.9 s'],
    [123, '2 min 03 s'],
    [3599.7, '60 min 00 s'],
  ])('%d seconds', (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

  it('findings: none is not the same as not scanned', () => {
    const none = { CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0, UNKNOWN: 0 };
    expect(formatFindings({ findings: none })).toBe('none');
    expect(formatFindings({ findings: null })).toBe('-');
    expect(formatFindings({ findings: { ...none, HIGH: 2, UNKNOWN: 1 } })).toBe('0C 2H 0M 0L 1?');
    expect(formatFindings({ findings: none, endOfLife: ['alpine 3.16'] })).toBe('none, end of life');
    const half = { unscanned: ['linux/arm64'], endOfLife: ['alpine 3.16'] };
    expect(formatFindings({ findings: { ...none, LOW: 1 }, ...half })).toBe('0C 0H 0M 1L, 1 unscanned, end of life');
    expect(formatFindings({ findings: null, ...half })).toBe('unscanned, end of life');
    expect(formatDigest(digest)).toBe('sha256:abababababab');
  });
});

describe('a failure', () => {
  it('says whose side it is, names it once, and says whether a retry helps', () => {
    expect(headline(toolFailure)).toBe('tool: crane ended with exit code 1: unexpected EOF (trying again can help)');
    const refused = {
      reason: 'registry',
      class: 'permanent',
      side: 'source',
      host: 'hub.example',
      status: 401,
    } as const;
    expect(headline({ ...refused, message: 'unauthorized' })).toBe('source registry hub.example: unauthorized');
    expect(headline({ ...refused, message: 'hub.example said no' })).toBe('source registry: hub.example said no');
    expect(headline(policyFailure)).toBe(policyFailure.message);
    const thrown = { reason: 'plugin', class: 'permanent', plugin: 'p', hook: 'apply' } as const;
    expect(headline({ ...thrown, message: 'plugin p: apply threw: x' })).toBe('plugin p: apply threw: x');
    expect(headline({ ...thrown, message: 'threw: x' })).toBe('plugin p: threw: x');
  });
});

describe('the table', () => {
  const rows: readonly Row[] = [
    row,
    { ...row, destination: 'registry.example/longer/name:2', outcome: 'published', before: digest, packages: 1 },
    { ...row, outcome: 'refused', failure: policyFailure, why: policyFailure.message },
    { ...row, outcome: 'skipped', digest: null, size: null, packages: null, findings: null, why: 'x'.repeat(500) },
    { ...row, outcome: 'unchanged', why: 'evil\u001b[2J\u202e' },
  ];

  it('is aligned, numbers by their end; long reasons are cut, failures stand below', () => {
    const lines = formatTable(rows).trimEnd().split('\n');
    expect(lines[0]).toBe(
      'destination                     outcome    digest                  size  packages  findings     signed  seconds  what changed',
    );
    expect(lines[1]).toBe(
      'registry.example/a:1            published  sha256:abababababab  15.4 kB        12  1C 0H 0M 2L  yes         4.7  new',
    );
    expect(lines[2]).toMatch(/ +1 {2}1C 0H 0M 2L {2}yes +4\.7 {2}was sha256:abababababab$/);
    expect(lines[3]).toMatch(/ see below$/);
    expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual((lines[0]?.length ?? 0) + 50);
    expect(formatTable(rows)).not.toMatch(/[^\P{C}\n]/u);
  });

  it('makes no row wide for the sake of a few long names', () => {
    const long = { ...row, destination: `registry.example/${'team-'.repeat(30)}a:1` };
    const lines = formatTable([...Array.from({ length: 19 }, () => row), long]).split('\n');
    expect(lines[1]).toMatch(/^registry\.example\/a:1 {2}published/);
    expect(lines[20]).toMatch(/a:1 {2}published {2}sha256:abababababab/);
    // Where they are the rule, they have their room.
    expect(formatTable([row, long, long]).split('\n')[1]).toMatch(/a:1 {20,}published/);
  });

  it('colours the outcome without moving a column', () => {
    const painted = formatTable(rows, (state, text) => `<${state}>${text}</>`);
    expect(painted.replaceAll(/<[a-z]*>|<\/>/g, '')).toBe(formatTable(rows));
    expect(painted).toContain('<refused>refused  </>');
  });

  it('has no limit of arguments', () => {
    expect(formatTable(Array.from({ length: 200_000 }, () => row)).split('\n')).toHaveLength(200_002);
  });

  it('counts', () => {
    expect(formatCounts(rows, 4.2)).toBe('2 published, 1 refused, 1 skipped, 1 unchanged in 4.2 s');
    expect(formatCounts([], 0)).toBe('nothing to do in 0.0 s');
  });
});

describe('failures after the table', () => {
  const failed: Row = { ...row, outcome: 'failed', failure: toolFailure };

  it('are told once an entry, with what to do', () => {
    const text = formatFailures([failed, { ...failed, destination: 'registry.example/a:2' }, row]);
    expect(text).toBe(
      `failed ${row.id}
  tool: crane ended with exit code 1: unexpected EOF (trying again can help)
    → the network had a problem
    | first
    | unexpected EOF
`,
    );
  });

  it('of one cause are told once, with the entries that it concerns, and not hundreds of these', () => {
    const down: Failure = { ...toolFailure, message: 'crane ended with exit code 1: no route to host' };
    const hundreds = Array.from({ length: 300 }, (_, at): Row => ({ ...failed, id: `sync:r/${at}:1`, failure: down }));
    const text = formatFailures(
      [hundreds[0] ?? failed, failed, ...hundreds.slice(1)],
      new Map([['sync:r/7:1', { lines: ['a line'], left: 0 }]]),
    );
    expect(text.split('no route to host')).toHaveLength(2);
    expect(text).toContain(
      '  and 299 more for the same cause, their logs are in the journal:\n    sync:r/1:1\n    sync:r/2:1\n',
    );
    expect(text).toContain(`    and 279 more: the table has them\nfailed ${row.id}\n`);
    expect(text.split('\n').length).toBeLessThan(40);
    const at = (line: number): Row => {
      const wrong: Failure = {
        reason: 'config',
        class: 'permanent',
        message: 'no such mode',
        at: { file: 'config.yaml', line, column: 3 },
      };
      return { ...failed, id: `sync:r/line-${line}:1`, failure: wrong };
    };
    expect(formatFailures([at(1), at(2)])).toContain('\n    config.yaml:2:3: sync:r/line-2:1\n');
  });

  it('says where a selection stands that comes to nothing, by a short name', () => {
    const at = { file: '/repo/config.yaml', line: 2, column: 5 };
    const none: Failure = {
      ...{ reason: 'registry', side: 'source', host: 'r.example', message: 'no tag of r.example/a is selected' },
      ...{ class: 'permanent', at },
    };
    const text = formatFailures([{ ...row, outcome: 'failed', failure: none }], undefined, undefined, '/repo');
    expect(text).toContain('  config.yaml:2:5: source registry: no tag of r.example/a is selected\n');
    const later: Failure = { ...none, class: 'transient' };
    expect(formatFailures([{ ...row, outcome: 'failed', failure: later }])).not.toContain('config.yaml');
  });

  it('show the log in place of the last lines, and say what is missing of it', () => {
    const text = formatFailures([failed], new Map([[row.id, { lines: ['all', 'of', 'it\u001b[2J'], left: 7 }]]));
    expect(text).toContain('    (7 lines before these are in the journal)\n    | all\n    | of\n    | it�[2J\n');
    expect(text).not.toContain('first');
  });

  it('name every refusal once, and not thousands', () => {
    const text = formatFailures([{ ...row, outcome: 'refused', failure: policyFailure }]);
    for (const refusal of refusals) expect(text.split(refusal)).toHaveLength(2);
    const many = { ...policyFailure, refusals: Array.from({ length: 5000 }, (_, n) => `CVE-${n}`) };
    expect(formatFailures([{ ...row, outcome: 'refused', failure: many }]).split('\n').length).toBeLessThan(30);
  });

  it('leave out what was only skipped or cancelled', () => {
    expect(
      formatFailures([
        { ...failed, outcome: 'skipped' },
        { ...failed, outcome: 'cancelled' },
      ]),
    ).toBe('');
  });
});

const task = (
  step: string,
  contract: string,
): { readonly id: string; readonly contract: string; readonly entry: string } => ({
  id: `${row.id}#${step}`,
  contract,
  entry: row.id,
});
const failing: readonly Event[] = [
  {
    t: 0,
    type: 'run.start',
    run: 'r1',
    command: 'run',
    version: '1',
    entries: [row.id],
    tasks: [task('probe', 'core.probe@1')],
  },
  { t: 0, type: 'task.start', task: `${row.id}#probe`, attempt: 1 },
  { t: 5, type: 'task.done', task: `${row.id}#probe`, state: 'ok', ms: 5 },
  {
    t: 5,
    type: 'entry.chain',
    entry: row.id,
    why: 'new',
    tasks: [task('copy', 'image.copy@1'), task('scan', 'image.scan@1')],
  },
  { t: 5, type: 'task.start', task: `${row.id}#copy`, attempt: 1 },
  { t: 5, type: 'task.log', task: `${row.id}#copy`, line: 'of the first attempt' },
  { t: 6, type: 'task.retry', task: `${row.id}#copy`, failure: toolFailure, wait: 500 },
  { t: 7, type: 'task.start', task: `${row.id}#copy`, attempt: 2 },
  { t: 8, type: 'task.log', task: `${row.id}#copy`, line: 'noise 💥 of a tool' },
  { t: 1_000, type: 'task.done', task: `${row.id}#copy`, state: 'failed', ms: 995, failure: toolFailure },
  { t: 1_000, type: 'task.done', task: `${row.id}#scan`, state: 'skipped', ms: 0, failure: toolFailure },
  { t: 1_000, type: 'entry.done', entry: row.id, rows: [{ ...row, outcome: 'failed', failure: toolFailure }] },
  { t: 1_000, type: 'run.done', exitCode: 1, seconds: 1 },
];

describe('plain progress', () => {
  it('tells beginnings of long steps, ends with seconds, each failure once, and no tool’s chatter', () => {
    const view = plainView();
    expect(failing.flatMap((event) => view.lines(event))).toEqual([
      'run r1: 1 entry',
      'sync:registry.example/a:1: new',
      '  sync:registry.example/a:1#copy begins',
      '  sync:registry.example/a:1#copy: tool: crane ended with exit code 1: unexpected EOF (trying again can help); again in 0.5 s',
      '  sync:registry.example/a:1#copy failed (1.0 s): tool: crane ended with exit code 1: unexpected EOF (trying again can help)',
      'failed registry.example/a:1 sha256:abababababab (4.7 s)',
    ]);
    const done: Event = { t: 1, type: 'task.done', task: `${row.id}#copy`, state: 'ok', ms: 1234 };
    expect(view.lines(done)).toEqual(['  sync:registry.example/a:1#copy ended (1.2 s)']);
    expect(view.lines({ ...done, ms: 99 })).toEqual([]);
  });

  it('tells at its end why an entry failed of which no task did: a selection without tags, a package that is missing', () => {
    const view = plainView();
    const failure: Failure = { ...toolFailure, class: 'permanent', message: 'crane finds no tags' };
    const ended: Event = {
      ...{ t: 1, type: 'entry.done', entry: row.id },
      rows: [{ ...row, digest: null, outcome: 'failed', failure }],
    };
    expect(view.lines(ended)).toEqual(['failed registry.example/a:1 - (4.7 s): tool: crane finds no tags']);
  });
});

describe('the logs of failed tasks', () => {
  it('are kept for the last attempt, bounded, and not for what went well', () => {
    const logs = taskLogs();
    for (const event of failing) logs.event(event);
    expect([...logs.failed]).toEqual([[row.id, { lines: ['noise 💥 of a tool'], left: 0 }]]);
    logs.event({ t: 1, type: 'task.start', task: 'package:p.yaml', attempt: 1 });
    for (let n = 0; n < 10_000; n += 1) logs.event({ t: 1, type: 'task.log', task: 'package:p.yaml', line: `${n}` });
    logs.event({ t: 2, type: 'task.done', task: 'package:p.yaml', state: 'failed', ms: 1, failure: toolFailure });
    const lines = Array.from({ length: 500 }, (_, n) => `${9500 + n}`);
    expect(logs.failed.get('package:p.yaml')).toEqual({ lines, left: 9500 });
  });

  it('are of what failed first, as the row is', () => {
    const tasks = ['scan', 'sbom'].map((step) => ({ id: `a#${step}`, contract: 'x@1', entry: 'a' }));
    const logOf = (first: 'failed' | 'refused', says: readonly string[]): readonly string[] | undefined => {
      const logs = taskLogs();
      logs.event({ t: 0, type: 'entry.chain', entry: 'a', why: '', tasks, changes: [] });
      for (const { id } of tasks) logs.event({ t: 1, type: 'task.start', task: id, attempt: 1 });
      for (const line of says) logs.event({ t: 2, type: 'task.log', task: 'a#scan', line });
      logs.event({ t: 2, type: 'task.log', task: 'a#sbom', line: 'of syft' });
      logs.event({ t: 3, type: 'task.done', task: 'a#scan', state: first, ms: 1, failure: toolFailure });
      logs.event({ t: 4, type: 'task.done', task: 'a#sbom', state: 'failed', ms: 1, failure: toolFailure });
      return logs.failed.get('a')?.lines;
    };
    expect(logOf('failed', ['of trivy'])).toEqual(['of trivy']);
    expect(logOf('failed', [])).toBeUndefined();
    expect(logOf('refused', ['of trivy'])).toBeUndefined();
  });
});

describe('the live view', () => {
  const after = (count: number): ReturnType<typeof liveView> => {
    const view = liveView();
    for (const event of failing.slice(0, count)) view.event(event);
    return view;
  };

  it('shows counts and what runs, in lines that fit, one column a character', () => {
    expect(after(0).lines(0, 80)).toEqual([]);
    expect(after(9).lines(61_007, 80)).toEqual([
      '1 min 01 s  0/1 entries',
      '  1 min 01 s  sync:registry.example/a:1#copy  noise ? of a tool',
    ]);
    expect(after(12).lines(1_000, 80)).toEqual(['1 s  1/1 entries: 1 failed']);
    for (const line of after(9).lines(1_000, 30)) expect(line).toMatch(/^[\x20-\x7e…]{0,30}$/);
  });

  it('is the same within a second', () => {
    expect(after(9).lines(2_100, 80)).toEqual(after(9).lines(2_900, 80));
  });

  it('counts entries, not their targets, the worst first', () => {
    const view = after(1);
    const rows = (['published', 'unchanged', 'unchanged'] as const).map((outcome) => ({ ...row, outcome }));
    for (const outcome of ['unchanged', 'failed'] as const)
      view.event({ t: 0, type: 'entry.done', entry: row.id, rows: [{ ...row, outcome }] });
    view.event({ t: 0, type: 'entry.done', entry: row.id, rows });
    expect(view.lines(1_000, 80)[0]).toBe('1 s  3/1 entries: 1 failed, 1 published, 1 unchanged');
  });

  it('keeps both ends of a long name', () => {
    const view = after(1);
    const task = `build:registry.example/${'team/'.repeat(12)}tool:1#build`;
    view.event({ t: 0, type: 'task.start', task, attempt: 1 });
    const [, line = ''] = view.lines(0, 60);
    expect(line).toMatch(/^ {4}0 s {2}build:registry.*….*\/tool:1#build$/);
    expect(line).toHaveLength(60);
  });

  it('counts the tasks beyond the first eight', () => {
    const view = after(1);
    for (let n = 0; n < 20; n += 1) view.event({ t: 0, type: 'task.start', task: `t${n}`, attempt: 1 });
    expect(view.lines(0, 80)).toHaveLength(10);
    expect(view.lines(0, 80).at(-1)).toBe('  and 12 more');
  });
});

describe('commands that look', () => {
  const registryFailure: Failure = {
    reason: 'registry',
    class: 'transient',
    side: 'source',
    host: 'h.example',
    message: 'no answer',
    hint: 'wait',
  };

  it('plan --resolve', () => {
    const entry = {
      kind: 'sync',
      source: 's',
      destination: 'd',
      targets: ['d'],
      at: 'config.yaml:1:1',
      needs: [],
      trust: 'full',
    } as const;
    const plan = { entries: [{ ...entry, id: 'c', skip: 'on topic, not main' }], tasks: [] };
    const text = formatProbes(plan, [
      { id: 'a', goal: true, why: 'it is there' },
      { id: 'b', goal: false, why: 'there is no such tag' },
      { id: 'c', goal: true, why: 'skipped: on topic, not main' },
      { id: 'd', goal: false, why: 'no answer', failure: registryFailure },
    ]);
    expect(text).toBe(
      `done  a: it is there
run   b: there is no such tag
skip  c: on topic, not main
FAIL  d: source registry h.example: no answer (trying again can help)
      → wait
1 to run, 1 done, 1 skipped, 1 could not be looked at
`,
    );
  });

  it('verify', () => {
    const target = {
      id: 'a',
      destination: 'r.example/a:1',
      digest: `sha256:${'0'.repeat(64)}` as Digest,
      ok: true,
      missing: [],
      trust: 'full',
    } as const;
    const text = formatVerified([
      target,
      { ...target, trust: 'copy' },
      { ...target, ok: false, missing: ['signature', 'linux/arm64: scan'] },
      { ...target, ok: false, digest: null, missing: ['tag'] },
      { ...target, ok: false, digest: null, failure: registryFailure },
    ]);
    expect(text.match(/^ok  /gm)).toHaveLength(2);
    expect(text).toContain('a copy (trust: copy), neither scanned nor signed\n');
    expect(text).toContain(`sha256:${'0'.repeat(64)}: missing: signature, linux/arm64: scan\n`);
    expect(text).toContain('FAIL  r.example/a:1 -: there is no such tag\n');
    expect(text).toContain('→ wait\n2 as they should be, 3 not\n');
  });

  it('doctor', () => {
    expect(
      formatDiagnoses([
        { what: 'tool crane', state: 'ok', detail: '0.22.1' },
        { what: 'signing', state: 'warning', detail: 'nothing is signed', hint: 'set a key' },
      ]),
    ).toBe('ok       tool crane: 0.22.1\nwarning  signing: nothing is signed\n         → set a key\n');
  });
});

describe('cosign commands', () => {
  const image = { destination: 'localhost:5000/a:1', digest };
  it('name the digest, and quote for a shell', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
    const signer = { kind: 'key', publicKey: pem, fingerprint: '' } as const;
    const commands = cosignCommands(image, { signer, accept: [signer], publicKeyFile: "/it's here/cosign.pub" });
    expect(commands[0]).toBe(
      `cosign verify --key '/it'\\''s here/cosign.pub' --insecure-ignore-tlog=true localhost:5000/a@${digest}`,
    );
  });

  it('give the identity, exact or as a pattern', () => {
    const signer = {
      kind: 'identity',
      issuer: { exact: 'https://i.example' },
      subject: { pattern: '^.*@b$' },
    } as const;
    expect(cosignCommands(image, { signer, accept: [signer] })[0]).toContain(
      "--certificate-identity-regexp '^.*@b$' --certificate-oidc-issuer https://i.example ",
    );
  });
});
