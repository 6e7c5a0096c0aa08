/** New digests in a config change nothing else of it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digest, options, valueOf } from '../config/fixtures.ts';
import { parseConfig } from '../config/load.ts';
import type { Digest } from '../reference.ts';
import { repin, type Repin } from './config-text.ts';

const FILE = '/repo/config.yaml';
const [OLD, NEW] = [digest('a') as Digest, digest('b') as Digest];

/** For every entry that is pinned to the old digest. */
function repinsOf(text: string): readonly Repin[] {
  return valueOf(parseConfig(text, FILE, options)).entries.flatMap(({ at, ...entry }) =>
    entry.kind === 'sync' && entry.source.kind === 'pinned' && entry.source.digest === OLD
      ? [{ at, from: OLD, to: NEW }]
      : [],
  );
}

function changed(text: string): string {
  const result = repin(text, repinsOf(text));
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}

describe('repin', () => {
  it('keeps comments, quotes, order, line ends and everything else', () => {
    const text =
      '# \u{1f6a2} top\r\nbuild: []   # none\r\nsync:\r\n' +
      `  - destination: s.example/a:1 # ${OLD} stays in a comment\r\n    source:   "r.example/a:1@${OLD}"  # pinned\r\n` +
      `  - { source: 'r.example/b:1@${OLD}', destination: s.example/b:1, always: false }\r\n` +
      `  - source: >-\r\n      r.example/c:1@${OLD}\r\n    destination: s.example/c:1\r\n` +
      `  - source: r.example/d:1@${digest('c')}\r\n    destination: s.example/d:1\r\n`;
    const after = changed(text);
    expect(after.split(NEW)).toHaveLength(4);
    expect(after).toContain(`# ${OLD} stays in a comment`);
    expect(after.replaceAll(NEW, OLD)).toBe(text);
    expect(valueOf(parseConfig(after, FILE, options)).entries.filter(({ kind }) => kind === 'sync')).toHaveLength(4);
  });

  it('writes once where an alias shares a source or an entry', () => {
    const text = `sync:\n  - source: &it r.example/a:1@${OLD}\n    destination: s.example/a:1\n  - source: *it\n    destination: s.example/b:1\n`;
    expect(changed(text)).toBe(text.replace(OLD, NEW));
    const merged = `x-a: &a { always: true }\nx-it: &it\n  source: r.example/a:1@${OLD}\nsync:\n  - <<: [*a, *it]\n    destination: s.example/a:1\n  - <<: *it\n    destination: s.example/b:1\n`;
    expect(changed(merged)).toBe(merged.replace(OLD, NEW));
  });

  it('refuses a digest that is not written out, and changes nothing', () => {
    const text = `sync:\n  - source: "r.example/a:1@\\x73ha256:${'a'.repeat(64)}"\n    destination: s.example/a:1\n`;
    const result = repin(text, repinsOf(text));
    expect(result).toMatchObject({ ok: false, failure: { reason: 'config', at: { line: 2 } } });
  });

  it('changes only the digests of the entries it was told of, whatever else there is', () => {
    const space = fc.constantFrom('', ' ', '   ');
    const comment = fc.constantFrom('', ' # note', ` # ${OLD}`, ' # "quoted: {', ' # 日本 \u{1f6a2}');
    const quote = fc.constantFrom('', "'", '"');
    const entry = fc.record({
      space,
      comment,
      quote,
      flow: fc.boolean(),
      first: fc.boolean(),
      moves: fc.boolean(),
      blank: fc.boolean(),
    });
    const end = fc.constantFrom('\n', '\r\n');
    fc.assert(
      fc.property(fc.array(entry, { minLength: 1, maxLength: 8 }), end, fc.boolean(), (entries, newline, last) => {
        const items = entries.map(({ space: gap, comment: note, quote: mark, flow, first, moves, blank }, index) => {
          const source = `source: ${gap}${mark}r.example/a${index}:1@${moves ? OLD : digest('c')}${mark}`;
          const destination = `destination: s.example/a${index}:1`;
          const [one, two] = first ? [source, destination] : [destination, source];
          const text = flow ? `  - { ${one}, ${two} }${note}` : `  - ${one}${note}${newline}    ${two}${note}`;
          return text + (blank ? newline : '');
        });
        const text = `sync:${newline}${items.join(newline)}${last ? newline : ''}`;
        const after = changed(text);
        const read = valueOf(parseConfig(after, FILE, options)).entries;
        const digests = read.map((each) =>
          each.kind === 'sync' && each.source.kind === 'pinned' ? each.source.digest : '',
        );
        expect(digests).toEqual(entries.map(({ moves }) => (moves ? NEW : digest('c'))));
        expect(after.replaceAll(NEW, OLD)).toBe(text);
      }),
    );
  });
});
