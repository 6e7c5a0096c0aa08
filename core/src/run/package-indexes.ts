/**
 * The state of package repositories: the digest of each index, asked once a run and by a conditional request where an
 * earlier run kept its ETag. https://wiki.alpinelinux.org/wiki/Apk_spec#Index_Format_V2
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ok, type Result } from '../failure.ts';
import type { FetchedFile } from '../registry/fetch-file.ts';
import { replaceFile } from './replace-file.ts';

export interface PackageIndexes {
  /** sha256 of the index's bytes, hex. Single-flight per URL. */
  digest(url: string): Promise<Result<string>>;
}

interface Kept {
  readonly etag: string;
  readonly sha256: string;
}

export type FetchFile = (url: string, etag: string | undefined) => Promise<Result<FetchedFile>>;

/** `folder` keeps ETags between runs; losing it costs one full download an index. */
export function packageIndexes(folder: string, fetchFile: FetchFile): PackageIndexes {
  const file = join(folder, 'indexes.json');
  const kept = readKept(file);
  const asked = new Map<string, Promise<Result<string>>>();

  async function ask(url: string): Promise<Result<string>> {
    const before = kept.get(url);
    const fetched = await fetchFile(url, before?.etag);
    if (!fetched.ok) return fetched;
    if (fetched.value.kind === 'same') {
      if (before === undefined) throw new Error(`nothing is known that ${url} could be the same as`);
      return ok(before.sha256);
    }
    const { sha256, etag } = fetched.value;
    if (etag !== undefined) {
      kept.set(url, { etag, sha256 });
      replaceFile(file, JSON.stringify(Object.fromEntries(kept)));
    }
    return ok(sha256);
  }

  return {
    digest(url) {
      let answer = asked.get(url);
      if (answer === undefined) {
        answer = ask(url);
        asked.set(url, answer);
        // The next try asks again.
        void answer.then(({ ok: found }) => {
          if (!found) asked.delete(url);
        });
      }
      return answer;
    },
  };
}

function readKept(file: string): Map<string, Kept> {
  const kept = new Map<string, Kept>();
  try {
    const data: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof data !== 'object' || data === null) return kept;
    for (const [url, value] of Object.entries(data)) {
      if (isKept(value)) kept.set(url, { etag: value.etag, sha256: value.sha256 });
    }
  } catch {
    // Lost or torn: every index is fetched whole once.
  }
  return kept;
}

function isKept(value: unknown): value is Kept {
  return (
    typeof value === 'object' &&
    value !== null &&
    'etag' in value &&
    typeof value.etag === 'string' &&
    'sha256' in value &&
    typeof value.sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(value.sha256)
  );
}
