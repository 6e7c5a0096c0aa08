import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Select } from '../config/model.ts';
import type { Tag } from '../reference.ts';
import { compileGlob, compileRegex } from './patterns.ts';
import { selectTags } from './select-tags.ts';

const NONE: Select = { tags: [], exclude: [], prerelease: false, allowEmpty: false };

function select(wanted: Partial<Record<keyof Select, unknown>>): Select {
  return { ...NONE, ...wanted } as Select;
}

function chosen(wanted: Partial<Record<keyof Select, unknown>>, ...tags: readonly string[]): readonly string[] {
  return selectTags(select(wanted), tags as unknown as readonly Tag[]).tags;
}

describe('selectTags', () => {
  test('versions: v in front, missing parts, leading zeros; prereleases and other words stay out', () => {
    const tags = ['v1.2.3', '1.2', '1', '22.04', '1.2.3-alpine', '1.3.0-rc.1', 'latest', '2.0.0', '1.10.0'];
    expect(chosen({ semver: ['>=1.2 <2'] }, ...tags)).toEqual(['1.10.0', 'v1.2.3', '1.2']);
    expect(chosen({ semver: ['>=20'] }, ...tags)).toEqual(['22.04']);
    expect(chosen({ semver: ['>=1.3.0-0, <2'], prerelease: true }, ...tags)).toEqual(['1.10.0', '1.3.0-rc.1']);
    expect(chosen({ semver: ['1.2.3', '^2'] }, ...tags)).toEqual(['2.0.0', 'v1.2.3']);
  });

  test('ranges may be written as tags are: with zeros in front, and with a prerelease of a version that is not complete', () => {
    const tags = ['22.04', '20.10', '24.04', '2023.08.2', '2023.8.1', '2023.10.0', '1.28.0-rc.1', '1.28', '1.27.9'];
    expect(chosen({ semver: ['>=22.04 <100'] }, ...tags)).toEqual(['24.04', '22.04']);
    expect(chosen({ semver: ['22.04', '020.x'] }, ...tags)).toEqual(['22.04', '20.10']);
    expect(chosen({ semver: ['>= 2023.08.2'] }, ...tags)).toEqual(['2023.10.0', '2023.08.2']);
    expect(chosen({ semver: ['>=1.28-0 <2-0'], prerelease: true }, ...tags)).toEqual(['1.28', '1.28.0-rc.1']);
    expect(chosen({ semver: ['> 1.27-alpha, <=v1.28-beta'], prerelease: true }, ...tags)).toEqual(['1.27.9']);
    expect(chosen({ semver: ['1.27 - 1.28'] }, ...tags)).toEqual(['1.28', '1.27.9']);
  });

  test('a candidate of a release is no release, whichever way it is written', () => {
    const tags = ['3.22.0', '3.22.0_rc1', '3.22.0-rc1', '3.21.9', '3.21.9_up1', '3.23.0_alpha20240101'];
    expect(chosen({ semver: ['>=3'] }, ...tags)).toEqual(['3.22.0', '3.21.9_up1', '3.21.9']);
    expect(chosen({ semver: ['>=3.22-0'], prerelease: true, latest: 2 }, ...tags)).toEqual([
      '3.23.0_alpha20240101',
      '3.22.0',
    ]);
  });

  test('numbers may be as long as times are, and none is rounded', () => {
    const tags = [
      '20240108120000',
      '20240108115959',
      '20240108120000125',
      '20240108120000124',
      '1.20240108120000125',
      '3',
    ];
    const longest = ['20240108120000125', '20240108120000124'];
    expect(chosen({ semver: ['>=20240108120000'] }, ...tags)).toEqual([...longest, '20240108120000']);
    expect(chosen({ semver: ['>=1 <=20240108115959'] }, ...tags)).toEqual([
      '20240108115959',
      '3',
      '1.20240108120000125',
    ]);
    expect(chosen({ semver: ['*'], latest: 1 }, '1.2.20240108120000125', '1.2.20240108120000124')).toEqual([
      '1.2.20240108120000125',
    ]);
  });

  test('a fourth number makes a version later than the three before it, and earlier than the next', () => {
    const tags = [
      '3.8.1',
      '3.8.1.1',
      '3.8.1.10',
      '3.8.1.9',
      '3.8.2',
      '3.8.1.2-alpine',
      '3.9.0.1',
      '4.0.0.0',
      '1.2.3.4.5',
    ];
    const patch = ['3.8.1.10', '3.8.1.9', '3.8.1.1'];
    expect(chosen({ semver: ['>=3.8 <4'] }, ...tags)).toEqual(['3.9.0.1', '3.8.2', ...patch, '3.8.1']);
    expect(chosen({ semver: ['>3.8.1 <3.8.2'] }, ...tags)).toEqual(patch);
    expect(chosen({ semver: ['<=3.8.1'] }, ...tags)).toEqual(['3.8.1']);
    expect(chosen({ semver: ['3.8.1 || 4.0.0'] }, ...tags)).toEqual(['4.0.0.0', '3.8.1']);
    expect(chosen({ semver: ['3.8.x'], latest: 2 }, ...tags)).toEqual(['3.8.2', '3.8.1.10']);
    expect(chosen({ semver: ['*'], prerelease: true }, '10.0.17763.2114', '10.0.17763.999-amd64')).toEqual([
      '10.0.17763.2114',
      '10.0.17763.999-amd64',
    ]);
  });

  test('extract compares a part of the tag, by number or by its group named key', () => {
    const tags = ['3.11.4-alpine3.18', '3.9.1-alpine3.18', '3.12.0-bookworm', '3.12.0-alpine3.19'];
    const extract = '([0-9.]+)-alpine.*';
    expect(chosen({ extract, semver: ['>=3.10'] }, ...tags)).toEqual(['3.12.0-alpine3.19', '3.11.4-alpine3.18']);
    const named = '(?P<word>[a-z]+)-(?P<key>[0-9]+)';
    expect(chosen({ extract: named, sort: 'numeric', latest: 1 }, 'b-9', 'a-10', 'c-x')).toEqual(['a-10']);
  });

  test('numbers are compared as numbers, dates part by part', () => {
    expect(chosen({ sort: 'numeric', latest: 2 }, '9', '10', '100', 'x')).toEqual(['100', '10']);
    expect(chosen({ sort: 'numeric', latest: 1 }, 'v20231101', 'v20231201', '20230101')).toEqual(['v20231201']);
    expect(chosen({ sort: 'numeric' }, '2023-11-02', '2023-2-28', '20230101')).toEqual([
      '20230101',
      '2023-11-02',
      '2023-2-28',
    ]);
  });

  test('leaves out what a glob or, between slashes, a regular expression matches as a whole', () => {
    const tags = ['v1.6.0', 'v1.60.0', 'v1.7.0', 'v2.0.0-rc', 'a'];
    expect(chosen({ exclude: ['/v1\\.[0-6]\\.\\d+/', '*-rc'], regex: 'v.*' }, ...tags)).toEqual(['v1.60.0', 'v1.7.0']);
    expect(chosen({ exclude: ['//', '/v1/', '/'], regex: '.*' }, ...tags)).toEqual([...tags].sort());
  });

  test('says at which stage tags were dropped, and counts each once', () => {
    const wanted = select({ regex: '[0-9.]+', exclude: ['9.*'], semver: ['>=1'], latest: 1 });
    const tags = ['1.0.0', '2.0.0', '9.1', '0.1', '1.2.3.4.5', 'latest', `sha256-${'a'.repeat(64)}.sig`];
    expect(selectTags(wanted, tags as unknown as readonly Tag[])).toEqual({
      tags: ['2.0.0'],
      seen: 6,
      dropped: { regex: 1, exclude: 1, semver: 2, latest: 1 },
    });
  });

  test('what registries and tools keep under sha256-… never reaches a selector', () => {
    const kept = ['a', 'b'].flatMap((digit) =>
      ['', '.sig', '.att', '.sbom'].map((end) => `sha256-${digit.repeat(64)}${end}`),
    );
    expect(chosen({ regex: '.*' }, ...kept, `sha512-${'c'.repeat(64)}`, 'sha256-tools')).toEqual(['sha256-tools']);
  });

  test('literal tags come first, are not tested, and need not be there', () => {
    expect(chosen({ tags: ['latest', '0.1'], semver: ['>=1'], exclude: ['*'] }, '1.0', 'latest')).toEqual([
      'latest',
      '0.1',
    ]);
    expect(chosen({ tags: ['b', 'a'] }, 'c')).toEqual(['b', 'a']);
  });

  const tag = fc.oneof(
    fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,12}$/),
    fc.tuple(fc.nat(30), fc.nat(30), fc.nat(30)).map((parts) => parts.join('.')),
    fc.tuple(fc.nat(3), fc.nat(3), fc.constantFrom('rc1', 'alpine', '0')).map(([a, b, c]) => `v${a}.${b}-${c}`),
  );
  const wanted = fc.record(
    {
      tags: fc.uniqueArray(tag, { maxLength: 3 }),
      semver: fc.constantFrom(['>=1 <10'], ['^2', '^3'], ['*']),
      regex: fc.constantFrom('.*', '[0-9.]+', 'v.*'),
      exclude: fc.constantFrom([], ['*rc*'], ['1?.*', '{2,3}.*']),
      extract: fc.constantFrom('v?([0-9.]+).*', '(.)(.*)'),
      sort: fc.constantFrom('semver', 'numeric', 'alphabetical'),
      latest: fc.integer({ min: 1, max: 5 }),
      prerelease: fc.boolean(),
    },
    { requiredKeys: [] },
  );

  test('property: order and repetition of the tags change nothing; every tag is chosen or dropped once', () => {
    fc.assert(
      fc.property(wanted, fc.array(tag, { maxLength: 40 }), (raw, tags) => {
        const asked = select(raw);
        const given = tags as unknown as readonly Tag[];
        const one = selectTags(asked, given);
        expect(selectTags(asked, [...given, ...given].toReversed())).toEqual(one);
        expect(new Set(one.tags).size).toBe(one.tags.length);
        const patterns = one.tags.filter((each) => !asked.tags.includes(each));
        expect(patterns.every((each) => given.includes(each))).toBe(true);
        expect(patterns.length).toBeLessThanOrEqual(asked.latest ?? Infinity);
        const literal = one.tags.filter((each) => asked.tags.includes(each) && given.includes(each));
        const dropped = Object.values(one.dropped).reduce((sum, count) => sum + count, 0);
        const literalOnly = Object.keys(raw).every(
          (key) => key === 'tags' || key === 'prerelease' || raw.exclude?.length === 0,
        );
        if (!literalOnly) expect(patterns.length + literal.length + dropped).toBe(one.seen);
      }),
    );
  });

  test('property: what was chosen is chosen again from what was chosen', () => {
    fc.assert(
      fc.property(wanted, fc.array(tag, { maxLength: 40 }), (raw, tags) => {
        const asked = select(raw);
        const first = selectTags(asked, tags as unknown as readonly Tag[]).tags;
        expect(selectTags(asked, first).tags).toEqual(first);
      }),
    );
  });
});

describe('patterns', () => {
  test('a hostile regular expression ends at once', () => {
    const tag = `${'a'.repeat(127)}!`;
    for (const regex of ['(a+)+$', '(a|a)*b', '(a*)*b', '(.*)*(.*)*(.*)*x']) {
      const matches = compileRegex(regex);
      if ('problem' in matches) throw new Error(matches.problem);
      const started = performance.now();
      matches(tag);
      expect(performance.now() - started).toBeLessThan(500);
    }
    expect(compileRegex('(((a{500}){500}){500})')).toHaveProperty('problem');
    expect(compileRegex('(?=a)')).toHaveProperty('problem');
    expect(compileRegex('a)|(b')).toHaveProperty('problem');
  });

  test('globs: any text, one character, one of several; the rest is itself', () => {
    const match = (glob: string, text: string) => compileGlob(glob)(text);
    expect([match('*-rc*', '1.0-rc1'), match('1.?', '1.2'), match('{a,b}-*', 'b-x'), match('1.0', '1x0')]).toEqual([
      true,
      true,
      true,
      false,
    ]);
    expect([match('a}', 'a}'), match('{a', 'a'), match('a,b', 'a,b')]).toEqual([true, true, true]);
  });

  test('property: any text is a glob, and one without special characters matches itself alone', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 30 }), fc.string({ maxLength: 30 }), (glob, text) => {
        const matches = compileGlob(glob);
        expect(typeof matches(text)).toBe('boolean');
        if (!/[*?{}]/.test(glob) && !text.includes('\n')) expect(matches(text)).toBe(glob === text);
      }),
    );
  });
});
