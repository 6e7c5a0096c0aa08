import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sha256 } from './digest.ts';
import { repeatedKey } from './json-text.ts';
import { mediaType } from './model.ts';
import { parseManifest } from './parse.ts';

const part = { mediaType: mediaType.ociConfig, digest: sha256('x'), size: 1 };
const manifest = { schemaVersion: 2, mediaType: mediaType.ociManifest, config: part, layers: [part] };
const index = {
  schemaVersion: 2,
  mediaType: mediaType.ociIndex,
  manifests: [{ ...part, platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }],
};

function parse(value: unknown, contentType?: string) {
  const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
  return parseManifest(bytes, sha256(bytes), contentType);
}

describe('good ones', () => {
  test.each([
    ['an OCI manifest', manifest, undefined, mediaType.ociManifest],
    [
      'one whose bytes do not name their type',
      { ...manifest, mediaType: undefined },
      `${mediaType.ociManifest}; charset=utf-8`,
      mediaType.ociManifest,
    ],
    ['one sent as bytes of any kind', manifest, 'application/octet-stream', mediaType.ociManifest],
    ['an index', index, mediaType.ociIndex, mediaType.ociIndex],
    ['an index that names no type at all', { ...index, mediaType: undefined }, undefined, mediaType.ociIndex],
    ['a Docker list', { ...index, mediaType: mediaType.dockerList }, mediaType.dockerList, mediaType.dockerList],
    ['one that holds its config', { ...manifest, config: { ...part, data: 'eA==' } }, undefined, mediaType.ociManifest],
    [
      'one with keys of others, and the same ones in several objects',
      { ...manifest, x: { a: { a: [{ a: 1 }, { a: 2 }] } }, annotations: { Layers: 'a', layers: 'b' } },
      undefined,
      mediaType.ociManifest,
    ],
    [
      'one whose config has empty data',
      { ...manifest, config: { ...part, data: '' } },
      undefined,
      mediaType.ociManifest,
    ],
    ['an annotation of null', { ...manifest, annotations: { a: null } }, undefined, mediaType.ociManifest],
    ['an empty index as Go writes it', { ...index, manifests: null }, undefined, mediaType.ociIndex],
  ])('%s', (_, value, contentType, type) => {
    const parsed = parse(value, contentType);
    expect(parsed).toMatchObject({ ok: true, value: { descriptor: { mediaType: type } } });
  });

  test('the fields are there, and a key named __proto__ is only a key', () => {
    const text = JSON.stringify(index).replace('"manifests"', '"annotations":{"__proto__":"x"},"manifests"');
    const parsed = parse(text);
    if (!parsed.ok) throw new Error(parsed.problem);
    expect(parsed.value.value).toMatchObject({
      manifests: [{ platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }],
    });
    expect(Object.keys(parsed.value.value.annotations ?? {})).toEqual(['__proto__']);
  });
});

test.each([
  ['no JSON', '{', 'not valid JSON'],
  ['no object', '[]', 'not a JSON object'],
  ['wrong UTF-8', Buffer.from([0x22, 0xff, 0x22]).toString('latin1'), 'JSON'],
  ['schema 1', { schemaVersion: 1, fsLayers: [] }, 'schema 1'],
  ['no schema', { config: part, layers: [] }, 'schemaVersion'],
  ['manifest and index at once', { ...manifest, manifests: [] }, 'at once'],
  ['an index that calls itself a manifest', { ...index, mediaType: mediaType.ociManifest }, 'not what its media type'],
  ['another type', { ...manifest, mediaType: 'text/plain' }, 'neither'],
  ['no layers', { ...manifest, layers: undefined }, '"layers"'],
  [
    'a digest that is a path',
    { ...manifest, config: { ...part, digest: 'sha256:../../etc/passwd' } },
    'digest at config',
  ],
  [
    'a digest by another algorithm',
    { ...manifest, layers: [{ ...part, digest: `md5:${'0'.repeat(32)}` }] },
    'digest at layers[0]',
  ],
  ['a negative size', { ...manifest, layers: [{ ...part, size: -1 }] }, 'size at layers[0]'],
  ['a size that is text', { ...manifest, layers: [{ ...part, size: '1' }] }, 'size at layers[0]'],
  ['annotations that are no text', { ...manifest, annotations: { a: 1 } }, 'annotations'],
  ['annotations that are a list', { ...manifest, annotations: [null] }, 'annotations'],
  [
    'a platform without architecture',
    { ...index, manifests: [{ ...part, platform: { os: 'linux' } }] },
    'architecture',
  ],
])('refused: %s', (_, value, problem) => {
  expect(parse(value)).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
});

test.each(['a\ud800', 'x'.repeat(129), 'amd64\u001b[31m', 'a\nb', 'a\u202eb'])(
  'a platform is of short printable words, and %j is none',
  (bad) => {
    for (const key of ['os', 'architecture', 'variant', 'os.version']) {
      const platform = { os: 'linux', architecture: 'arm', [key]: bad };
      const parsed = parse({ ...index, manifests: [{ ...part, platform }] });
      expect(parsed).toMatchObject({ ok: false, problem: expect.stringContaining('no short printable text at') });
    }
  },
);

test.each([{}, { os: '', architecture: '' }])('a platform that a writer left unset is none: %o', (platform) => {
  expect(parse({ ...index, manifests: [{ ...part, platform }] })).toMatchObject({
    ok: true,
    value: { value: { manifests: [part] } },
  });
});

test('what the header says must not contradict the bytes', () => {
  expect(parse(manifest, mediaType.ociIndex)).toMatchObject({ ok: false });
  expect(parse({ ...manifest, mediaType: undefined }, mediaType.ociIndex)).toMatchObject({ ok: false });
  expect(parse(manifest, 'application/vnd.docker.distribution.manifest.v1+prettyjws')).toMatchObject({ ok: false });
});

test('no input makes it throw, and what it takes has valid digests and sizes', () => {
  const json = fc.jsonValue().map((value) => JSON.stringify(value));
  const near = fc
    .record({
      schemaVersion: fc.constantFrom(1, 2, '2'),
      mediaType: fc.constantFrom(undefined, null, '', mediaType.ociManifest, mediaType.ociIndex, 'x'),
      config: fc.constantFrom(undefined, null, part, {}),
      layers: fc.constantFrom(undefined, null, [part], [null], {}),
      manifests: fc.constantFrom(undefined, undefined, null, [part], [{ ...part, platform: 1 }]),
      subject: fc.constantFrom(undefined, part, 1),
      annotations: fc.oneof(fc.constant(undefined), fc.dictionary(fc.string(), fc.jsonValue())),
    })
    .map((value) => JSON.stringify(value));
  fc.assert(
    fc.property(fc.oneof(fc.string(), json, near), (text) => {
      const parsed = parse(text);
      if (!parsed.ok) {
        expect(parsed.problem).toMatch(/^(?:is|has|says) /);
        return;
      }
      const { value } = parsed;
      const parts = value.kind === 'index' ? value.value.manifests : [value.value.config, ...value.value.layers];
      for (const each of parts) {
        expect([/^sha(?:256|512):[0-9a-f]+$/.test(each.digest), each.size >= 0]).toEqual([true, true]);
      }
    }),
    { numRuns: 500 },
  );
});

test('no key is found twice in what was written from an object', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(repeatedKey(text)).toBeUndefined();
    }),
  );
});

describe('what two readers understand differently is refused', () => {
  test.each([
    ['a deep value', JSON.stringify(index).replace('{', `{"x":${'['.repeat(200)}${']'.repeat(200)},`), 'too deeply'],
    ['a key twice', JSON.stringify(manifest).replace('{', '{"layers":[],'), 'names "layers" twice'],
    ['a key twice, written otherwise', JSON.stringify(manifest).replace('{', '{"\\u006cayers":[],'), '"layers" twice'],
    [
      'a key twice, further in',
      JSON.stringify(manifest).replace('"size"', '"a":"\\\\","a":{"b":1},"size"'),
      '"a" twice',
    ],
    ['a byte order mark', `\ufeff${JSON.stringify(manifest)}`, 'is not valid JSON'],
    ['a field in another case', { ...manifest, Layers: [] }, 'field "Layers" at its top, which not all read alike'],
    ['one in letters that fold', { ...manifest, ['layer\u017f']: [] }, 'not all read alike'],
    ['one of a part', { ...manifest, layers: [{ ...part, URLs: ['https://a.example'] }] }, 'field "URLs" at layers[0]'],
    [
      'other data',
      { ...manifest, config: { ...part, data: 'eQ==' } },
      'data that is not what its digest says at config',
    ],
    ['no data', { ...manifest, config: { ...part, data: 7 } }, 'data that is not what'],
  ])('%s', (_, value, problem) => {
    expect(parse(value)).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
  });
});
