/** How a sync is done: the keys that a plain entry and a selection share. */
import { configFailure, fail } from '../failure.ts';
import { formatPlatform } from '../oci/model.ts';
import type { Path } from './document.ts';
import { parseDuration } from './duration.ts';
import { fields, flag, isFields, items, text, texts, type Fields } from './fields.ts';
import { readIdentity, readSearchedIdentity } from './identity.ts';
import type { Backup, ReferrerFilter, SourceVerification, SyncOptions } from './model.ts';
import type { Accept } from './settings-model.ts';
import { normalisePath } from './paths.ts';
import { parseTag } from '../reference.ts';
import { distinctPlatforms, parsePlatform } from './platforms.ts';
import type { Reading } from './reading.ts';
import { fillIn, parseWholeRepository, runValues, variablesIn } from './targets.ts';

/** `several`: more than one tag may be overwritten, so their backups need names of their own. */
export function readSyncOptions(item: Fields, path: Path, several: boolean, reading: Reading): SyncOptions {
  const platforms = readPlatforms(item, path, reading);
  const referrers = readReferrers(item['referrers'], [...path, 'referrers'], reading);
  const verify = readVerify(item, path, reading);
  const backup = readBackup(item, path, several, reading);
  return {
    ...(platforms === undefined ? {} : { platforms }),
    ...(item['missingPlatforms'] === 'skip' ? { missingPlatforms: 'skip' as const } : {}),
    ...(referrers === undefined ? {} : { referrers }),
    ...(verify === undefined ? {} : { verify }),
    ...(flag(item['immutable']) === true ? { immutable: true as const } : {}),
    ...(flag(item['foreignLayers']) === true ? { foreignLayers: true as const } : {}),
    ...(backup === undefined ? {} : { backup }),
  };
}

function readPlatforms(item: Fields, path: Path, { accept }: Reading): SyncOptions['platforms'] {
  if (item['missingPlatforms'] !== undefined && item['platforms'] === undefined) {
    const hint = 'name the platforms that are wanted, or leave it out';
    accept(fail(configFailure('"missingPlatforms" has no meaning without "platforms"', hint)), [
      ...path,
      'missingPlatforms',
    ]);
  }
  const named = items(item['platforms']).flatMap((value, index) => {
    const platform = text(value);
    return (platform ? accept(parsePlatform(platform), [...path, 'platforms', index]) : undefined) ?? [];
  });
  if (named.length === 0) return undefined;
  // The order in the config means nothing: it must not make another index.
  return distinctPlatforms(named).toSorted((a, b) => (formatPlatform(a) < formatPlatform(b) ? -1 : 1));
}

function readReferrers(value: unknown, path: Path, { accept }: Reading): ReferrerFilter | undefined {
  if (value === true) return {};
  if (!isFields(value)) return undefined;
  const types = texts(value['types']);
  const place = text(value['from']);
  const hint = 'what refers to an image names its digest: name the repository alone';
  const from = place ? accept(parseWholeRepository(place, hint), [...path, 'from']) : undefined;
  return { ...(types.length === 0 ? {} : { types }), ...(from === undefined ? {} : { from }) };
}

function readVerify(item: Fields, path: Path, reading: Reading): SourceVerification | undefined {
  const { accept, keys } = reading;
  if (isFields(item['sourceSignature'])) {
    const place = [...path, 'sourceSignature'];
    if (item['verify'] !== undefined)
      accept(
        fail(configFailure('"sourceSignature" and "verify" exclude each other', 'put it under verify, as anyOf')),
        place,
      );
    const signer = readSearchedIdentity(item['sourceSignature'], place, accept);
    return { accept: signer === undefined ? [] : [signer] };
  }
  if (item['verify'] === undefined) return undefined;
  const verify = fields(item['verify']);
  const at: Path = [...path, 'verify'];
  const { anyOf, minAge, ...own } = verify;
  const age = text(minAge);
  if (anyOf !== undefined && Object.keys(own).length > 0) {
    accept(fail(configFailure('"anyOf" and a signer beside it exclude each other', 'put every signer under anyOf')), [
      ...at,
      'anyOf',
    ]);
  }
  const signers =
    anyOf === undefined
      ? Object.keys(own).length === 0
        ? []
        : [readSigner(own, at)]
      : items(anyOf).map((value, index) => readSigner(fields(value), [...at, 'anyOf', index]));
  const milliseconds = age === undefined ? undefined : parseDuration(age);
  return {
    accept: signers.filter((signer) => signer !== undefined),
    ...(milliseconds === undefined ? {} : { minAge: milliseconds }),
  };

  function readSigner(signer: Fields, place: Path): Accept | undefined {
    if (signer['key'] === undefined) return readIdentity(signer, place, accept);
    if (Object.keys(signer).length > 1) {
      return accept(fail(configFailure('a public key stands alone', 'put both under anyOf, one an item')), place);
    }
    const name = text(signer['key']);
    const file = name ? accept(normalisePath(name), [...place, 'key']) : undefined;
    if (file === undefined) return undefined;
    const key = accept(keys.get(file) ?? fail(configFailure(`the public key "${file}" was not read`)), [
      ...place,
      'key',
    ]);
    // That it is there is known; that it is in the folder is not.
    if (key !== undefined) reading.path(file, [...place, 'key'], 'file');
    return key;
  }
}

function readBackup(item: Fields, path: Path, several: boolean, reading: Reading): Backup | undefined {
  const template = text(item['backup']);
  if (!template) return undefined;
  const at = [...path, 'backup'];
  const values = { ...runValues(reading.context), tag: 'a' };
  const filled = reading.accept(fillIn(template, values, ['tag', 'date', 'sha']), at);
  if (filled === undefined) return undefined;
  // Longer than a tag may be once a long one is filled in is for the run to say.
  if (parseTag(filled) === undefined) {
    return reading.accept(fail(configFailure(`"backup" makes "${filled}", which is not a tag`)), at);
  }
  const named = variablesIn(template).includes('tag');
  if (several && !named) {
    const hint = 'write for example backup-{tag}-{date}';
    return reading.accept(fail(configFailure('"backup" is one tag for all of the tags here', hint)), at);
  }
  const dated = fillIn(template, { ...values, tag: '{tag}' }, ['tag', 'date', 'sha']);
  return dated.ok ? { template, dated: dated.value } : undefined;
}
