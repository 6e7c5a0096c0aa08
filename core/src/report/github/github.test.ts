/** What GitHub's runner makes of our log, outputs and summary: read back by its own rules, with names that try to be commands. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../failure.ts';
import type { Event, Outcome, Row } from '../../journal/events.ts';
import { withoutCommands, workflowCommand } from './commands.ts';
import { failureAnnotations, githubView } from './log.ts';
import { formatOutputs, movedSince, stepOutputs } from './outputs.ts';
import { jobSummary } from './summary.ts';

const HOSTILE = [
  '::error::owned',
  '%0A::error::owned',
  'a\n::set-output name=x::1',
  '\r\n  ::add-mask::a',
  '##[error]x',
  ':,%',
];

interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly message: string;
}

/** As the runner reads a line: `::` after blanks, a name, properties to the next `::`; or `##[` anywhere. */
function commandsIn(text: string): readonly Command[] {
  return text.split(/\r\n|\n|\r/).flatMap((line) => {
    const found = /^\s*::([a-z-]+)(?: (.*?))?::(.*)$/.exec(line);
    if (found === null) return line.includes('##[') ? [{ name: 'old', properties: {}, message: line }] : [];
    const [, name = '', told = '', message = ''] = found;
    const pairs = told.split(',').filter((pair) => pair !== '');
    const properties = pairs.map((pair) => {
      const equals = pair.indexOf('=');
      const value = unescape(pair.slice(equals + 1))
        .replaceAll('%3A', ':')
        .replaceAll('%2C', ',');
      return [pair.slice(0, equals).trim(), value.replaceAll('%25', '%')];
    });
    return [{ name, properties: Object.fromEntries(properties), message: unescape(message).replaceAll('%25', '%') }];
  });
}

function unescape(text: string): string {
  return text.replaceAll('%0D', '\r').replaceAll('%0A', '\n');
}

const row = (more: Partial<Row> = {}): Row => ({
  id: 'sync:ghcr.io/example/a:1',
  destination: 'ghcr.io/example/a:1',
  digest: `sha256:${'ab'.repeat(32)}`,
  outcome: 'published',
  before: null,
  why: 'there is no such tag',
  findings: null,
  signed: true,
  size: null,
  packages: null,
  seconds: 1,
  ...more,
});
const failure = (message: string, more: Partial<Failure> = {}): Failure =>
  ({ reason: 'tool', class: 'permanent', tool: 'apko', message, ...more }) as Failure;
const at = { file: '/checkout/team/config.yaml', line: 12, column: 5 };

describe('commands', () => {
  it('are escaped as the toolkit does it', () => {
    expect(workflowCommand('error', 'a%\r\nb', { file: 'a:b,c%', line: 3, title: undefined })).toBe(
      '::error file=a%3Ab%2Cc%25,line=3::a%25%0D%0Ab',
    );
    expect(workflowCommand('endgroup', '')).toBe('::endgroup::');
  });

  it('say what they were told, whatever that is, and are one', () => {
    const text = fc.oneof(
      fc.string(),
      fc.constantFrom(...HOSTILE),
      fc.string({ unit: fc.constantFrom('%', '0', 'A', ':', ',', '\n', '\r', '#', '[') }),
    );
    fc.assert(
      fc.property(text, text, (message, title) => {
        const read = commandsIn(workflowCommand('error', message, { title }));
        expect(read.filter(({ name }) => name !== 'old')).toHaveLength(1);
      }),
    );
  });

  it('are not found in what others wrote', () => {
    const lines = fc.array(fc.oneof(fc.string(), fc.constantFrom(...HOSTILE)), { maxLength: 5 });
    fc.assert(
      fc.property(lines, (texts) => {
        expect(commandsIn(withoutCommands(texts.join('\n')))).toEqual([]);
      }),
    );
  });

  it('leaves JSON what it was', () => {
    const answer = JSON.stringify({ slipway: 1, text: '##[error]x ::error::' });
    const guarded = withoutCommands(answer);
    expect(commandsIn(guarded)).toEqual([]);
    expect(JSON.parse(guarded)).toEqual(JSON.parse(answer));
  });
});

describe('the log', () => {
  const entry = 'sync:ghcr.io/example/a:1';
  const events = (
    name: string,
    log: readonly string[],
    end: Partial<Row> = {},
    state: 'ok' | 'failed' = 'ok',
  ): readonly Event[] => [
    { t: 0, type: 'run.start', run: 'r', command: 'run', version: '1', entries: [name], tasks: [] },
    {
      t: 0,
      type: 'entry.chain',
      entry: name,
      why: 'new',
      tasks: [{ id: `${name}#scan`, contract: 'image.scan@1', entry: name }],
    },
    { t: 0, type: 'task.start', task: `${name}#scan`, attempt: 1 },
    ...log.map((line): Event => ({ t: 0, type: 'task.log', task: `${name}#scan`, line })),
    { t: 0, type: 'task.done', task: `${name}#scan`, state, ms: 900 },
    { t: 0, type: 'entry.done', entry: name, rows: [row({ id: name, ...end })] },
    { t: 0, type: 'run.done', exitCode: 0, seconds: 1 },
  ];
  const logOf = (all: readonly Event[]): string => {
    const view = githubView({ workspace: '/checkout', placeOf: () => at });
    return all.flatMap((event) => view.lines(event)).join('\n');
  };

  it('has a group an entry, with what its tools wrote', () => {
    const text = logOf(events(entry, ['pulled', '::error::owned', '##[error]x']));
    const [group, ...rest] = commandsIn(text);
    expect(group).toMatchObject({ name: 'group', message: expect.stringContaining('published ghcr.io/example/a:1') });
    expect(rest.map(({ name }) => name)).toEqual(['endgroup']);
    expect(text).toMatch(/::group::.*\n.*new\n {4}\| pulled\n/);
  });

  it('says at once what takes long', () => {
    const task = `${entry}#copy`;
    const [start, chain] = events(entry, []);
    const view = githubView({ workspace: '/checkout', placeOf: () => at });
    const announced = { ...chain, tasks: [{ id: task, contract: 'image.copy@1', entry }] } as Event;
    const told = [start, announced, { t: 0, type: 'task.start', task, attempt: 1 } as Event].flatMap((event) =>
      event === undefined ? [] : view.lines(event),
    );
    expect(told.at(-1)).toBe(`  ${task} begins`);
  });

  it('blames the line of the config, and leaves the log of what failed for the end', () => {
    const end = {
      outcome: 'failed',
      failure: failure('apko ended with exit code 1\n::error::owned', { hint: 'look' }),
    } as const;
    const text = logOf(events(entry, ['secret of failure'], end, 'failed'));
    expect(text).not.toContain('secret of failure');
    const errors = commandsIn(text).filter(({ name }) => name === 'error');
    expect(errors).toEqual([
      {
        name: 'error',
        properties: { file: 'team/config.yaml', line: '12', col: '5', title: 'failed ghcr.io/example/a:1' },
        message: `${entry}: tool: apko ended with exit code 1 ::error::owned\n→ look`,
      },
    ]);
  });

  it('takes the failure’s own place, and names no file outside of the checkout', () => {
    const [inside, outside] = [
      { ...at, line: 3 },
      { file: '/etc/passwd', line: 1, column: 1 },
    ].map((place) => commandsIn(failureAnnotations([failure('wrong', { at: place })], '/checkout').join('\n')));
    expect(inside?.[0]?.properties).toEqual({ file: 'team/config.yaml', line: '3', col: '5' });
    expect(outside?.[0]?.properties).toEqual({});
  });

  it('has no more annotations than GitHub shows, and says so', () => {
    const lines = failureAnnotations(
      Array.from({ length: 25 }, (_, index) => failure(`no ${index}`)),
      '/checkout',
    );
    const errors = commandsIn(lines.join('\n')).filter(({ name }) => name === 'error');
    expect(errors).toHaveLength(10);
    expect(errors.at(-1)?.message).toContain('and 16 more');
    const ten = Array.from({ length: 10 }, (_, index) => failure(`no ${index}`));
    expect(failureAnnotations(ten, '/checkout').at(-1)).toContain('and 1 more error: see the log');
    const exactly = failureAnnotations([failure('one')], '/checkout');
    expect(exactly).toHaveLength(1);
  });

  it('annotates each cause once, and keeps places for refusals', () => {
    const told = (...rows: readonly Row[]): readonly Command[] => {
      const ends = rows.map((one): Event => ({ t: 0, type: 'entry.done', entry: one.id, rows: [one] }));
      const text = logOf([...ends, { t: 0, type: 'run.done', exitCode: 1, seconds: 1 }]);
      return commandsIn(text).filter(({ name }) => name === 'error');
    };
    const failing = (index: number, status = 429): Row =>
      row({
        id: `f${index}`,
        outcome: 'failed',
        failure: {
          reason: 'registry',
          class: 'transient',
          side: 'source',
          host: 'docker.io',
          status,
          message: `no ${index}`,
        },
      });
    const refused = (index: number): Row =>
      row({
        id: `r${index}`,
        outcome: 'refused',
        failure: { reason: 'policy', class: 'policy', refusals: [`CVE-${index}`], message: `refused ${index}` },
      });
    const range = (count: number) => Array.from({ length: count }, (_, index) => index);
    const limited = told(...range(9).map((index) => failing(index)), refused(1));
    expect(limited.map(({ message }) => message.split(':')[0])).toEqual(['f0', 'r1', 'and 8 more errors']);
    // Of thirty causes of failure, in front of six refusals.
    const many = told(...range(30).map((index) => failing(index, 500 + index)), ...range(6).map(refused));
    expect(many.map(({ message }) => message[0]).join('')).toBe('fffffrrrra');
    expect(many.at(-1)?.message).toContain('and 27 more errors');
    // Where nothing is refused, failures have its places.
    expect(told(...range(30).map((index) => failing(index, 500 + index)))).toHaveLength(10);
  });

  it('is commanded by no name', () => {
    for (const name of HOSTILE) {
      const end = { destination: name, outcome: 'refused', failure: failure(name), why: name } as const;
      const names = commandsIn(logOf(events(name, [name], end))).map((each) => each.name);
      expect(names, name).toEqual(['group', 'endgroup', 'error']);
    }
  });
});

describe('outputs', () => {
  it('are read back as they were, and no value ends itself', () => {
    const value = fc.oneof(fc.string(), fc.constantFrom('word0', 'a\nword0\nx<<word1\nowned\nword1', ...HOSTILE));
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z-]{1,8}$/), value), (values) => {
        let count = 0;
        const text = formatOutputs(values, () => `word${count++}`);
        expect(readOutputs(text)).toEqual(values);
      }),
    );
  });

  it('count each outcome, and give the digests as JSON', () => {
    const outputs = stepOutputs({
      run: 'r1',
      rows: [
        row(),
        row({ destination: 'b', outcome: 'failed', digest: null }),
        row({ destination: 'c', outcome: 'skipped' }),
      ],
      exitCode: 1,
    });
    expect(outputs).toMatchObject({ run: 'r1', 'exit-code': '1', published: '1', failed: '1', refused: '0' });
    expect(JSON.parse(outputs['digests'] ?? '')).toEqual({ 'ghcr.io/example/a:1': row().digest });
    const many = Array.from({ length: 20_000 }, (_, index) => row({ destination: `ghcr.io/example/${index}:1` }));
    expect(stepOutputs({ run: 'r1', rows: many, exitCode: 0 })).not.toHaveProperty('digests');
  });

  it('give the digest of the one entry that was asked for, if it may be built on', () => {
    const of = (outcome: Outcome) =>
      stepOutputs({ run: 'r', rows: [row({ id: 'b' }), row({ outcome })], exitCode: 0, entry: row().id });
    expect(of('unchanged')['digest']).toBe(row().digest);
    expect(of('refused')).not.toHaveProperty('digest');
  });

  it('of jobs before are compared with what is there now', () => {
    const other = `sha256:${'cd'.repeat(32)}`;
    const handed = `${row().id} ${other}\nbuild:x ${other}\nbuild:y \n\n`;
    expect(movedSince(handed, [row()])).toEqual([
      expect.stringContaining(`${row().id} is ${row().digest} now, and was ${other}`),
    ]);
    expect(movedSince(`${row().id} ${row().digest}\n`, [row()])).toEqual([]);
  });

  /** As the runner does: `name<<word`, then lines up to one that is the word. */
  function readOutputs(text: string): Readonly<Record<string, string>> {
    const read: Record<string, string> = {};
    const lines = text.split('\n');
    for (let line = lines.shift(); line !== undefined && line !== ''; line = lines.shift()) {
      const [name = '', word = ''] = line.split('<<');
      const value = lines.splice(0, lines.indexOf(word));
      lines.shift();
      read[name] = value.join('\n');
    }
    return read;
  }
});

describe('the summary', () => {
  const input = { run: 'r1', command: 'run', seconds: 3, day: '2026-11-25', limit: 1_048_576 };
  const text = (
    rows: readonly Row[],
    edges: readonly (readonly [string, string])[] = [],
    limit = input.limit,
  ): string => jobSummary({ ...input, rows, edges, limit });

  it('has the table, the worst first, and the graph in the colours of its outcomes', () => {
    const rows = [row(), row({ id: 'build:b', destination: 'b', outcome: 'refused', failure: failure('no') })];
    const shown = text(rows, [['sync:ghcr.io/example/a:1', 'build:b']]);
    expect(shown.indexOf('| refused |')).toBeLessThan(shown.indexOf('| published |'));
    expect(shown).toContain(
      '```mermaid\nflowchart LR\n  e0["ghcr.io/example/a:1"]:::published\n  e1["b"]:::refused\n  e0 --> e1\n',
    );
    expect(text([row()])).not.toContain('mermaid');
  });

  it('says in a line what passes by waivers, and which of them end first', () => {
    const waived = (id: string, expires: string): Row => row({ waived: [{ id, reason: 'r', expires }] });
    const shown = text([waived('CVE-2', '2027-02-01'), waived('CVE_1', '2026-12-01'), row()]);
    expect(shown.replaceAll('&#95;', '_').replaceAll('&#44;', ',').replaceAll('&#58;', ':')).toContain(
      '\n\n2 images pass the policy only by 2 waivers: 1 ends within 14 days of this run: CVE_1 on 2026-12-01\n\n|',
    );
    expect(text([row()])).not.toContain('waiver');
  });

  it('says in a line which systems are at their end of life, and with each row that it is one', () => {
    const findings = { CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0, UNKNOWN: 0 };
    const shown = text([row({ findings, endOfLife: ['<b>', 'a', 'b', 'c'] }), row({ findings })]);
    expect(shown).toContain(
      '\n\n1 image has an operating system at its end of life &#40;&#60;b&#62;&#44; a&#44; b&#44; 1 more&#41;&#44; which',
    );
    expect(shown).toContain('| none&#44; end of life |');
    expect(shown).toContain('| none |');
  });

  it('says of what is refused which waivers held all the same', () => {
    const waived = [{ id: 'CVE-2', reason: 'not reachable', expires: '2027-01-31' }];
    const refused: Failure = { reason: 'policy', class: 'policy', refusals: ['CVE-1'], message: 'no', waived };
    expect(text([row({ outcome: 'refused', failure: refused })])).toContain(
      '| no&#59; waived all the same&#58; CVE-2 until 2027-01-31 &#40;not reachable&#41; |',
    );
  });

  it('takes names for text', () => {
    const names = [
      'a|b',
      '<img src=x>',
      '[x](http://e)',
      '`c`',
      '@team',
      '```\n## owned',
      '"]; click e0 "http://e"',
      'www.e.example',
    ];
    for (const name of names) {
      const shown = text(
        [row({ id: 'x', destination: name, outcome: 'unchanged', why: name }), row()],
        [['x', 'sync:ghcr.io/example/a:1']],
      );
      const [table = '', mermaid = ''] = shown.split('```mermaid');
      expect(table).not.toContain(name);
      expect(
        table
          .split('\n')
          .filter((line) => line.startsWith('|'))
          .every((line) => line.split('|').length === 10),
      ).toBe(true);
      expect(table).not.toMatch(/<(?!\/?code>)|[@`[\]]/);
      expect(mermaid.match(/```/g)).toHaveLength(1);
      expect(mermaid.split('\n').filter((line) => line.includes('e0["'))).toEqual([
        expect.stringMatching(/^ {2}e0\["[^"<>`]*"\]:::unchanged$/),
      ]);
    }
  });

  it('stays within the limit, and says what it left out', () => {
    const outcomes: readonly Outcome[] = ['unchanged', 'failed'];
    const rows = Array.from({ length: 9_000 }, (_, index) =>
      row({
        id: `e${index}`,
        destination: `ghcr.io/example/${index}:1`,
        outcome: outcomes[index % 2] ?? 'failed',
        why: 'y'.repeat(200),
      }),
    );
    const shown = text(rows);
    expect(Buffer.byteLength(shown)).toBeLessThanOrEqual(input.limit);
    expect(Buffer.byteLength(shown)).toBeGreaterThan(input.limit * 0.9);
    const kept = shown.split('\n').filter((line) => line.startsWith('| ghcr')).length;
    // There is no graph, and so none is missed.
    expect(shown).toContain(`Left out are ${rows.length - kept} more rows: `);
    const linked = [row({ id: 'a' }), row({ id: 'b', destination: 'b' })];
    const whole = text(linked, [['a', 'b']]);
    expect(text(linked, [['a', 'b']], Buffer.byteLength(whole) - 1)).toContain('Left out is the graph: ');
    expect(text([row()], [], 100)).toBe('');
  });

  it('draws no graph that GitHub would not draw', () => {
    const rows = Array.from({ length: 300 }, (_, index) => row({ id: `e${index}` }));
    const edges = rows.slice(1).map(({ id }, index) => [`e${index}`, id] as const);
    expect(text(rows, edges)).toContain('The graph has 300 entries and 299 edges');
    // Mermaid would draw no more of it elsewhere.
    expect(text(rows, edges)).toContain('`slipway plan --format dot` prints it');
    expect(text(rows, edges)).not.toContain('```mermaid');
    // What somebody has to look at is drawn all the same.
    const broken = rows.map((one, index) =>
      index < 280 ? one : row({ id: one.id, outcome: index === 280 ? 'failed' : 'skipped' }),
    );
    const shown = text(broken, edges);
    expect(shown).toContain('what failed or was refused, with what it holds up');
    expect(shown.match(/:::failed/g)).toHaveLength(1);
    expect(shown.match(/:::skipped/g)).toHaveLength(19);
    expect(shown).not.toContain(':::published');
  });

  it('draws siblings as one box with their number, and names an entry by its first tag', () => {
    const rows = Array.from({ length: 300 }, (_, index) =>
      row({ id: `e${index}`, destination: `ghcr.io/e${index}:latest`, outcome: index === 0 ? 'refused' : 'skipped' }),
    );
    const dated = row({ id: 'e0', destination: 'ghcr.io/e0:2026-11-25', outcome: 'refused' });
    const shown = text(
      [...rows.slice(0, 1), dated, ...rows.slice(1)],
      rows.slice(1).map(({ id }) => ['e0', id] as const),
    );
    expect(shown).toContain('  e0["ghcr.io/e0:latest"]:::refused\n  e1["299 skipped"]:::skipped\n  e0 --> e1\n');
  });
});
