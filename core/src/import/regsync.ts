/** The config of regsync: https://github.com/regclient/regclient/blob/v0.11.7/docs/regsync.md */
import type { Document, Path } from '../config/document.ts';
import { fields, items, text, type Fields } from '../config/fields.ts';
import { parsePlatform } from '../config/platforms.ts';
import { quote } from '../config/quote.ts';
import { splitTag } from '../config/targets.ts';
import { configFailure } from '../failure.ts';
import { failed, loaded, type Loaded } from '../config/loaded.ts';
import { expandTemplate } from './go-template.ts';
import type { Draft, Drafts, ImportRequest, Item, Unsupported } from './model.ts';
import { whyCredential, whyNot } from './regsync-keys.ts';
import { readTagSets } from './regsync-tags.ts';
import { settingsOfRegsync } from './settings.ts';
import { isEmpty, listed, pathText, truth } from './source-file.ts';

const REPOSITORY = /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/;

export function readRegsync(document: Document, { environment = {} }: ImportRequest): Loaded<Drafts> {
  const root = fields(document.data);
  const version = text(root['version']);
  if (!isEmpty(version) && version !== '0' && version !== '1') {
    return failed([
      configFailure(
        `version ${quote(version ?? '')} of regsync's config is not known`,
        'it is 1',
        document.locate(['version']),
      ),
    ]);
  }
  if (!Array.isArray(root['sync'])) {
    const hint = 'a file of "skopeo sync" is imported with: slipway import skopeo';
    return failed([configFailure('there is no list "sync" in the file', hint, document.locate([]))]);
  }
  const unsupported: Unsupported[] = [];
  const known = new Set<string>();
  const refuse: Refuse = (path, why, at = path) => {
    const what = pathText(path);
    // A default is the same for every step, and so is a variable.
    if (known.has(what)) return;
    known.add(what);
    unsupported.push({ at: document.locate(at), what, why });
  };
  const nameOf = (written: string): string => {
    const expanded = expandTemplate(written, { values: {}, environment });
    return expanded.ok ? expanded.text : written;
  };
  readTop(root, nameOf, refuse);
  const defaults = fields(root['defaults']);
  const drafts = items(root['sync']).flatMap((value, index) =>
    readStep(fields(value), { document, path: ['sync', index], defaults, environment, refuse }),
  );
  return loaded({ drafts, settings: settingsOfRegsync(root, nameOf), unsupported });
}

/** `at`: where it stands, if that is not its name. */
type Refuse = (path: Path, why: string, at?: Path) => void;

type Environment = NonNullable<ImportRequest['environment']>;

function readTop(root: Fields, nameOf: (written: string) => string, refuse: Refuse): void {
  for (const [index, value] of listed(root['creds']).entries()) {
    const credential = fields(value);
    const registry = nameOf(text(credential['registry']) ?? '');
    for (const [key, setting] of Object.entries(credential)) {
      if (key === 'registry' || isEmpty(setting)) continue;
      const why = whyCredential(key, setting, registry);
      if (why !== undefined) refuse(['creds', index, key], why);
    }
  }
  for (const [key, value] of Object.entries(fields(root['defaults']))) {
    const why = isEmpty(value) ? undefined : whyNot(key, value);
    if (why !== undefined) refuse(['defaults', key], why);
  }
  for (const key of Object.keys(root)) {
    if (['version', 'creds', 'defaults', 'sync'].includes(key) || key.startsWith('x-')) continue;
    refuse([key], 'regsync has no such key that is known here');
  }
}

interface Step {
  readonly document: Document;
  readonly path: Path;
  readonly defaults: Fields;
  readonly environment: Environment;
  readonly refuse: Refuse;
}

function readStep(step: Fields, { document, path, defaults, environment, refuse }: Step): readonly Draft[] {
  const type = text(step['type']) ?? '';
  const repositories = type === 'registry' ? namedRepositories(fields(step['repos'])) : [];
  for (const [key, value] of Object.entries(step)) {
    const known = isEmpty(value) || (key === 'repos' && repositories.length > 0);
    const why = known ? undefined : whyNot(key, value);
    if (why !== undefined) refuse([...path, key], why);
  }
  const written = { source: text(step['source']) ?? '', target: text(step['target']) ?? '' };
  const sync = { '.Sync.Type': type };
  const source = expand('source', written.source, {
    ...sync,
    '.Sync.Source': written.source,
    '.Sync.Target': written.target,
  });
  const target = expand('target', written.target, {
    ...sync,
    '.Sync.Source': source ?? '',
    '.Sync.Target': written.target,
  });
  if (source === undefined || target === undefined) return [];
  if (repositories.length > 0) {
    const { repos: _, ...rest } = step;
    return repositories.flatMap((name) => {
      const one = { ...rest, type: 'repository', source: `${source}/${name}`, target: `${target}/${name}` };
      return readStep(one, { document, path, defaults, environment, refuse });
    });
  }
  if (type === 'registry') {
    refuse(
      [...path, 'type'],
      'a whole registry is no source: write a "repository" step for each repository, and import again',
    );
    return [];
  }
  if (type !== 'image' && type !== 'repository') {
    refuse([...path, 'type'], `${quote(type)} is neither "image" nor "repository", so nothing was taken over`);
    return [];
  }
  const comments: string[] = [];
  /** What is not the same in the entry stands above it as well. */
  const note: Refuse = (at, why) => {
    refuse(at, why);
    comments.push(`${pathText(at[0] === 'defaults' ? at : at.slice(path.length))}: ${why}`);
  };
  const options = readOptions();
  const made = { at: document.locate(path), what: pathText(path) };
  if (type === 'image') {
    return [{ ...made, comments, item: { source: location(source), destination: location(target), ...options } }];
  }
  const item = { source: location(repositoryOf(source)), destination: `${location(repositoryOf(target))}:{tag}` };
  return readTagSets(step, path, note).map((select, index) => ({
    ...made,
    comments: index === 0 ? comments : [],
    item: { ...item, select, ...options },
  }));

  /** What a variable held is there to stay: the config has none. */
  function expand(key: string, template: string, values: Readonly<Record<string, string>>): string | undefined {
    const expanded = expandTemplate(template, { values, environment });
    if (expanded.ok) {
      for (const name of expanded.variables) {
        refuse(['env', name], 'a config has no variables: its value of now was written', [...path, key]);
      }
      return expanded.text;
    }
    const why =
      expanded.unset.length > 0
        ? `${expanded.unset.join(', ')} ${expanded.unset.length === 1 ? 'is' : 'are'} not set, so the step was left out: set in the environment what regsync finds there, and import again`
        : `${quote(`{{ ${expanded.action} }}`)} cannot be filled in here, so the step was left out`;
    refuse([...path, key], why);
    return undefined;
  }

  /** The step's own, or else the default's. */
  function setting(key: string): { readonly value: unknown; readonly at: Path } {
    return isEmpty(step[key])
      ? { value: defaults[key], at: ['defaults', key] }
      : { value: step[key], at: [...path, key] };
  }

  function readOptions(): Omit<Item, 'source' | 'destination'> {
    const platforms = readPlatforms();
    const referrers = readReferrers();
    const backup = readBackup();
    return {
      ...(platforms.length === 0 ? {} : { platforms }),
      ...(referrers === undefined ? {} : { referrers }),
      ...(truth(setting('includeExternal').value) === true ? { foreignLayers: true } : {}),
      ...(backup === undefined ? {} : { backup }),
    };
  }

  function readPlatforms(): readonly string[] {
    const named = [
      ...listed(step['platform']).map((value) => ({ value, at: [...path, 'platform'] })),
      ...listed(step['platforms']).map((value, index) => ({ value, at: [...path, 'platforms', index] })),
    ];
    if (!isEmpty(step['platform'])) comments.push('an index of this one platform, where regsync tags the image itself');
    return named.flatMap(({ value, at }) => {
      const platform = text(value) ?? '';
      if (parsePlatform(platform).ok) return [platform];
      note(at, `${quote(platform)} is not a platform`);
      return [];
    });
  }

  function readReferrers(): Item['referrers'] {
    const digestTags = truth(setting('digestTags').value) === true;
    if (truth(setting('referrers').value) !== true) {
      if (!digestTags) return undefined;
      comments.push('referrers has the tags of cosign with it, which digestTags was for');
      return true;
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
    return types.length === 0 || types.length < listed(filters.value).length ? true : { types };
  }

  function readBackup(): string | undefined {
    const { value, at } = setting('backup');
    if (isEmpty(value)) return undefined;
    const expanded = expandTemplate(text(value) ?? '', {
      values: { '.Ref.Tag': '{tag}', ...sync },
      environment,
    });
    if (!expanded.ok) {
      note(at, `${quote(`{{ ${expanded.action} }}`)} has no equivalent: "backup" knows {tag}, {date} and {sha}`);
      return undefined;
    }
    if (/^[A-Za-z0-9_{}.-]+$/.test(expanded.text)) return expanded.text;
    note(at, 'a backup is a tag in the same repository');
    return undefined;
  }
}

/** A registry of which every repository is named; none when a pattern chooses, which only the registry's list could answer. */
function namedRepositories({ allow, deny }: Fields): readonly string[] {
  const names = listed(allow).map((name) => text(name) ?? '');
  return listed(deny).length === 0 && names.every((name) => REPOSITORY.test(name)) ? names : [];
}

/** The tag of a repository means nothing to regsync either. */
function repositoryOf(reference: string): string {
  return splitTag(reference)[0];
}

/** `ocidir://mirror/alpine:3` → `oci:./mirror/alpine:3`. */
function location(reference: string): string {
  const layout = /^ocidir:(?:\/\/)?(.+)$/.exec(reference)?.[1];
  if (layout === undefined) return reference;
  const [path, tag] = splitTag(layout);
  return `oci:${/^\.{0,2}\//.test(path) ? '' : './'}${path}${tag === undefined ? '' : `:${tag}`}`;
}
