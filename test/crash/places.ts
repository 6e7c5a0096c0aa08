/** What is in a repository, as others than Slipway see it: what each tag names, and what of ours is attached to which image. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { crane, tool, world } from '../world.ts';

/** Of each tag, and of each image: `1 → sha256:…`, `sha256-… <predicate> <signer>`. Neither how often nor when. */
export interface Seen {
  readonly tags: readonly string[];
  readonly attached: readonly string[];
}

export type Place = () => Promise<Seen>;

interface Listed {
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Index {
  readonly manifests?: readonly Listed[];
}

const REF_NAME = 'org.opencontainers.image.ref.name';
/** A tag that lists what is attached, where the registry does not: https://github.com/opencontainers/distribution-spec */
const isList = (tag: string): boolean => /^sha256-[0-9a-f]{64}$/.test(tag);

export function registry(host: string, path: string): Place {
  const manifest = async (of: string): Promise<Index> => json((await crane('manifest', `${host}/${path}${of}`)).stdout);
  return async () => {
    const tags = (await crane('ls', `${host}/${path}`)).stdout.split('\n').filter((tag) => tag !== '');
    const named = await Promise.all(
      tags
        .filter((tag) => !isList(tag))
        .map(async (tag) => [tag, (await crane('digest', `${host}/${path}:${tag}`)).stdout.trim()] as const),
    );
    const lists = new Map<string, readonly Listed[]>();
    for (const tag of tags.filter(isList)) lists.set(tag, (await manifest(`:${tag}`)).manifests ?? []);
    if (host === world().referrers?.host) {
      for (const digest of new Set(named.map(([, of]) => of))) {
        const children = (await manifest(`@${digest}`)).manifests ?? [];
        for (const subject of [digest, ...children.map((child) => child.digest)]) {
          const answer = await fetch(`http://${host}/v2/${path}/referrers/${subject}`);
          lists.set(subject.replace(':', '-'), json<Index>(await answer.text()).manifests ?? []);
        }
      }
    }
    return seen(named, lists);
  };
}

/** https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md */
export function folder(path: string): Place {
  return layout((name) => readFile(join(path, name), 'utf8'));
}

export function archive(file: string): Place {
  return layout(async (name) => (await tool('tar', ['-xOf', file, name])).stdout);
}

function layout(read: (name: string) => Promise<string>): Place {
  return async () => {
    const entries = json<Index>(await read('index.json')).manifests ?? [];
    const names = entries.flatMap(({ digest, annotations }) => {
      const name = annotations?.[REF_NAME];
      return name === undefined ? [] : [[name, digest] as const];
    });
    const lists = new Map<string, readonly Listed[]>();
    for (const [name, digest] of names.filter(([tag]) => isList(tag))) {
      lists.set(name, json<Index>(await read(`blobs/${digest.replace(':', '/')}`)).manifests ?? []);
    }
    return seen(
      names.filter(([name]) => !isList(name)),
      lists,
    );
  };
}

function seen(
  tags: readonly (readonly [tag: string, digest: string])[],
  lists: ReadonlyMap<string, readonly Listed[]>,
): Seen {
  const attached = [...lists].flatMap(([subject, list]) => list.map((one) => `${subject} ${said(one)}`));
  return {
    tags: tags.map(([tag, digest]) => `${tag} → ${digest}`).toSorted(),
    // Duplicates are tolerated.
    attached: [...new Set(attached)].toSorted(),
  };
}

/** Keys and times differ from run to run. */
function said({ annotations = {} }: Listed): string {
  const lasting = Object.entries(annotations).filter(
    ([name, value]) => !name.endsWith('key') && !/^\d{4}-\d\d-/.test(value),
  );
  return lasting
    .map(([, value]) => value)
    .toSorted()
    .join(' ');
}

function json<T>(text: string): T {
  return JSON.parse(text) as T;
}
