/** A lock as text and back. The same lock is the same text, so that a review shows what changed and nothing else. */
import { Document, visit } from 'yaml';
import { fields, texts } from '../config/fields.ts';
import { failed, loaded, type Loaded } from '../config/loaded.ts';
import { compileSchema, validate, type Validator } from '../config/validate.ts';
import { parseYaml } from '../config/yaml.ts';
import { configFailure } from '../failure.ts';
import type { Digest, Tag } from '../reference.ts';
import type { Lock, LockedImage, LockedSelection, LockedSource } from './model.ts';
import { lockSchema } from './schema.ts';

export function formatLock({ sources, selections }: Lock): string {
  const data = new Map<string, unknown>([
    ['version', 1],
    [
      'sources',
      sorted(sources, ({ key, source, ...image }) => new Map([['key', key], ['source', source], ...imageOf(image)])),
    ],
    [
      'selections',
      sorted(
        selections,
        ({ key, source, tags }) =>
          new Map<string, unknown>([
            ['key', key],
            ['source', source],
            ['tags', sorted(tags, (image) => new Map(imageOf(image)))],
          ]),
      ),
    ],
  ]);
  const document = new Document(data, { aliasDuplicateObjects: false });
  visit(document, { Seq: (_, node) => void (node.flow = true) });
  return document.toString({ lineWidth: 0, singleQuote: true, flowCollectionPadding: false });
}

function imageOf({ digest, platforms, verified }: LockedImage): [string, unknown][] {
  return [
    ['digest', digest],
    ['platforms', platforms],
    ...(verified === undefined ? [] : [['verified', verified] satisfies [string, unknown]]),
  ];
}

/** By code units: the same on every machine. Maps keep that order where objects would put numbers first. */
function sorted<T>(map: ReadonlyMap<string, T>, write: (value: T) => unknown): ReadonlyMap<string, unknown> {
  return new Map([...map].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => [key, write(value)]));
}

let validator: Validator | undefined;

/** `file`: absolute, for positions. */
export function parseLock(text: string, file: string): Loaded<Lock> {
  const document = parseYaml(text, file);
  if (!document.ok) return document;
  const { data, locate } = document.value;
  const version = fields(data)['version'];
  if (typeof version === 'number' && version > 1) {
    const hint = 'use a newer version of slipway';
    return failed([configFailure(`version ${version} of the lock is not known`, hint, locate(['version']))]);
  }
  validator ??= compileSchema(lockSchema);
  const problems = validate(document.value, validator);
  if (problems.length > 0) {
    const hint = 'take it from version control again, or delete it and run slipway update';
    return failed(problems.map((problem) => ({ hint, ...problem })));
  }
  return loaded({
    sources: mapOf(fields(data)['sources'], readSource),
    selections: mapOf(fields(data)['selections'], readSelection),
  });
}

function mapOf<T>(value: unknown, read: (value: unknown) => T): ReadonlyMap<string, T> {
  return new Map(Object.entries(fields(value)).map(([key, each]) => [key, read(each)]));
}

function readSource(value: unknown): LockedSource {
  const { key, source } = fields(value);
  return { key: String(key), source: String(source), ...readImage(value) };
}

function readSelection(value: unknown): LockedSelection {
  const { key, source, tags } = fields(value);
  const read = mapOf(tags, readImage) as ReadonlyMap<Tag, LockedImage>;
  return { key: String(key), source: String(source), tags: read };
}

/** The schema has checked it. */
function readImage(value: unknown): LockedImage {
  const { digest, platforms, verified } = fields(value);
  return {
    digest: String(digest) as Digest,
    platforms: texts(platforms),
    ...(typeof verified === 'string' ? { verified } : {}),
  };
}
