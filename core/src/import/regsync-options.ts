/** How a step of regsync copies, beside what: each key of its own, or else of the defaults. */
import type { Path } from '../config/document.ts';
import { fields, text, type Fields } from '../config/fields.ts';
import { parsePlatform } from '../config/platforms.ts';
import { quote } from '../config/quote.ts';
import { formatRepository, parseReference, parseTag } from '../reference.ts';
import { expandTemplate, type Known } from './go-template.ts';
import type { SyncOptions } from './model.ts';
import { isEmpty, listed, truth } from './source-file.ts';

/** What regsync copies where nothing is said: https://github.com/regclient/regclient/blob/v0.11.7/docs/regsync.md */
const MEDIA_TYPES = [
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
];
/** The backup where no template of ours is nearer to what was written. */
const BACKUP = 'backup-{tag}-{date}';
const DAY = '2006-01-02';
/** Go's own ways to write a time. */
const DAY_OR_TIME = /\btime\.Now(?:\.UTC|\.Local)?\.Format\s+(?:"[^"]+"|`[^`]+`)/g;

export interface OptionsRequest {
  readonly step: Fields;
  readonly path: Path;
  readonly defaults: Fields;
  /** A step of more than one tag. */
  readonly several: boolean;
  readonly target: string;
  /** What a template of a backup is filled in with, besides its tag. */
  readonly known: Known;
  readonly refuse: (path: Path, why: string) => void;
  /** The same, and a comment above the entry. */
  readonly note: (path: Path, why: string) => void;
  readonly comment: (text: string) => void;
}

export function readOptions(request: OptionsRequest): SyncOptions {
  const { step, path, defaults, several, target, known, refuse, note, comment } = request;
  const platforms = readPlatforms();
  const referrers = readReferrers();
  const backup = readBackup();
  tellMediaTypes();
  return {
    ...(platforms.length === 0 ? {} : { platforms, missingPlatforms: 'skip' }),
    ...(referrers === undefined ? {} : { referrers }),
    ...(truth(setting('includeExternal').value) === true ? { foreignLayers: true } : {}),
    ...(truth(setting('forceRecursive').value) === true ? { always: true } : {}),
    ...(backup === undefined ? {} : { backup }),
  };

  /** The step's own, or else the default's. */
  function setting(key: string): { readonly value: unknown; readonly at: Path } {
    return isEmpty(step[key])
      ? { value: defaults[key], at: ['defaults', key] }
      : { value: step[key], at: [...path, key] };
  }

  function readPlatforms(): readonly string[] {
    const single = isEmpty(step['platform']) ? [] : [{ value: step['platform'], at: [...path, 'platform'] }];
    const named = [
      ...single,
      ...listed(step['platforms']).map((value, index) => ({ value, at: [...path, 'platforms', index] })),
    ];
    const platforms = named.flatMap(({ value, at }) => {
      const platform = text(value) ?? '';
      if (parsePlatform(platform).ok) return [platform];
      const local = 'is the platform of the machine that runs regsync: name it, as linux/amd64';
      note(at, `${quote(platform)} ${platform === 'local' ? local : 'is not a platform'}`);
      return [];
    });
    if (single.length > 0 && platforms.length === 1)
      comment('an index of this one platform, where regsync tags the image itself');
    else if (platforms.length > 0)
      comment(
        "where platforms are left out, the digest is that of a new index; regsync keeps upstream's, and not all that it names",
      );
    return platforms;
  }

  function readReferrers(): SyncOptions['referrers'] {
    const digestTags = truth(setting('digestTags').value) === true;
    if (truth(setting('referrers').value) !== true) {
      if (!digestTags) return undefined;
      comment('referrers: true has all digest tags (sha256-…) with it, which digestTags was for');
      return true;
    }
    const place = readReferrerSource();
    const from = place === undefined ? {} : { from: place };
    const other = setting('referrerTarget');
    if (!isEmpty(other.value) && other.value !== step['target'] && nameOf(other.value) !== target) {
      note(other.at, `referrers are written where the image goes: none goes to ${nameOf(other.value)}`);
    }
    const filters = setting('referrerFilters');
    const types = listed(filters.value).flatMap((value, index) => {
      const filter = fields(value);
      if (!isEmpty(filter['annotations'])) {
        note([...filters.at, index, 'annotations'], 'referrers are chosen by their type alone');
      }
      const type = text(filter['artifactType']);
      return type === undefined || isEmpty(type) ? [] : [type];
    });
    // A filter without a type lets every type pass.
    const all = types.length === 0 || types.length < listed(filters.value).length;
    if (digestTags && !all)
      note(setting('digestTags').at, 'beside "types", of digest tags only those of cosign with these types are copied');
    if (digestTags && place !== undefined)
      note(setting('digestTags').at, `of digest tags those at ${place} are copied, and none that is beside the image`);
    if (all) return place === undefined ? true : from;
    return { types, ...from };
  }

  /** Absent where it says nothing else than the source does. */
  function readReferrerSource(): string | undefined {
    const { value, at } = setting('referrerSource');
    if (isEmpty(value)) return undefined;
    const named = parseReference(nameOf(value));
    if (!named.ok)
      note(at, `${quote(nameOf(value))} is no repository of a registry: referrers are read beside the image`);
    const from = named.ok ? formatRepository(named.value) : undefined;
    const source = parseReference(nameOf(step['source']));
    return source.ok && formatRepository(source.value) === from ? undefined : from;
  }

  function nameOf(written: unknown): string {
    const name = text(written) ?? '';
    const expanded = expandTemplate(name, known);
    return expanded.ok ? expanded.text : name;
  }

  function readBackup(): string | undefined {
    const { value, at } = setting('backup');
    if (isEmpty(value)) return undefined;
    const instead = (why: string, backup = BACKUP): string => {
      note(at, `${why}; ${quote(backup)} was written`);
      return backup;
    };
    const written = text(value) ?? '';
    const template = written.replaceAll(DAY_OR_TIME, `time.Now.Format "${DAY}"`);
    const expanded = expandTemplate(template, { ...known, values: { ...known.values, '.Ref.Tag': '{tag}' } });
    if (!expanded.ok) {
      return instead(
        expanded.unset.length > 0
          ? `${expanded.unset.join(', ')} not set`
          : `${quote(`{{ ${expanded.action} }}`)} has no equivalent: "backup" knows {tag}, {date} and {sha}`,
      );
    }
    const backup = expanded.text.trim();
    if (parseTag(backup.replaceAll(/\{(?:tag|date)\}/g, 'a')) === undefined)
      return instead('a backup is a tag in the same repository');
    if (several && !backup.includes('{tag}'))
      return instead('each tag of a repository needs a backup of its own name', `${backup}-{tag}`);
    return template === written ? backup : instead('{date} is the day, as 2026-11-23', backup);
  }

  function tellMediaTypes(): void {
    const { value, at } = setting('mediaTypes');
    const types = listed(value);
    const skipped = types.length === 0 ? [] : MEDIA_TYPES.filter((type) => !types.includes(type));
    if (skipped.length > 0) {
      refuse(at, `every kind of image is copied: also ${skipped.join(', ')}, which regsync passes over with this list`);
    }
  }
}
