/** A step of regsync's `sync:`, with its variables filled in. */
import type { Document, Path } from '../config/document.ts';
import { fields, text, type Fields } from '../config/fields.ts';
import { quote } from '../config/quote.ts';
import { splitTag } from '../config/targets.ts';
import { expandTemplate } from './go-template.ts';
import type { ImportRequest, Wish } from './model.ts';
import { kept, lost, whyNot, type Verdict } from './regsync-keys.ts';
import { readOptions } from './regsync-options.ts';
import { patternOfDigestTags, readTagSets } from './regsync-tags.ts';
import { isEmpty, listed, pathText } from './source-file.ts';

const REPOSITORY = /^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/;

const DIGEST_TAGS = 'no pattern finds tags as sha256-…, which are those of signatures: "referrers" has them with it';

const ONE_IMAGE =
  'it copies the one that "source" names, latest without a tag; of a repository they are type: repository';

/** `at`: where it stands, if that is not its name. */
export type Say = (path: Path, verdict: Verdict, at?: Path) => void;

interface Step {
  readonly document: Document;
  readonly path: Path;
  readonly defaults: Fields;
  readonly environment: NonNullable<ImportRequest['environment']>;
  readonly say: Say;
  /** The step cannot be read without these variables. */
  readonly lack: (variables: readonly string[]) => void;
}

export function readStep(step: Fields, context: Step): readonly Wish[] {
  const { document, path, defaults, environment, say, lack } = context;
  const refuse = (at: Path, why: string): void => say(at, lost(why));
  const type = text(step['type']) ?? '';
  const repositories = type === 'registry' ? namedRepositories(fields(step['repos'])) : [];
  for (const [key, value] of Object.entries(step)) {
    const known = isEmpty(value) || (key === 'repos' && repositories.length > 0);
    const verdict = known ? undefined : whyNot(key, value);
    if (verdict !== undefined) say([...path, key], verdict);
  }
  const written = { source: text(step['source']) ?? '', target: text(step['target']) ?? '' };
  const sync = { '.Sync.Type': type };
  const unset: string[] = [];
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
  if (unset.length > 0) lack(unset);
  if (source === undefined || target === undefined) return [];
  if (repositories.length > 0) {
    const { repos: _, ...rest } = step;
    return repositories.flatMap((name) => {
      const one = { ...rest, type: 'repository', source: `${source}/${name}`, target: `${target}/${name}` };
      return readStep(one, context);
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
  /** What is not the same in the entry, or not as it looks, stands above it as well. */
  const above = (at: Path, verdict: Verdict): void => {
    say(at, verdict);
    comments.push(`${pathText(at[0] === 'defaults' ? at : at.slice(path.length))}: ${verdict.why}`);
  };
  const note = (at: Path, why: string): void => above(at, lost(why));
  const tell = (at: Path, why: string): void => above(at, kept(why));
  const options = readOptions({
    ...{ step, path, defaults, several: type === 'repository', target, refuse, note },
    known: { values: sync, environment },
    comment: (line) => comments.push(line),
  });
  const made = { at: document.locate(path), what: pathText(path), comments };
  if (type === 'image') {
    for (const key of ['tags', 'tagSets']) {
      if (!isEmpty(step[key])) tell([...path, key], `regsync chooses no tags with type: image: ${ONE_IMAGE}`);
    }
    return [{ ...made, item: { source: location(source), destination: location(target), ...options } }];
  }
  const item = { source: location(repositoryOf(source)), destination: `${location(repositoryOf(target))}:{tag}` };
  const sets = readTagSets(step, path, { lost: note, kept: tell });
  const digestTags = patternOfDigestTags(step, path);
  if (digestTags !== undefined) tell(digestTags, DIGEST_TAGS);
  const referrers = digestTags !== undefined && options.referrers === undefined ? { referrers: true as const } : {};
  return sets === undefined ? [] : [{ ...made, item: { ...item, ...options, ...referrers }, sets }];

  /** Fills in variables: their values of now are written, since our config has no variables. */
  function expand(key: string, template: string, values: Readonly<Record<string, string>>): string | undefined {
    const expanded = expandTemplate(template, { values, environment });
    if (expanded.ok) {
      for (const name of expanded.variables) {
        say(['env', name], kept('a config has no variables: its value of now was written'), [...path, key]);
      }
      return expanded.text;
    }
    unset.push(...expanded.unset);
    if (expanded.unset.length === 0) {
      refuse([...path, key], `${quote(`{{ ${expanded.action} }}`)} cannot be filled in here, so the step was left out`);
    }
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
