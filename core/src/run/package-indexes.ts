/**
 * The state of package repositories: the digest of each index, asked once a run and by a conditional request where an
 * earlier run kept its ETag. https://wiki.alpinelinux.org/wiki/Apk_spec#Index_Format_V2
 */
import { ok, type Result } from '../failure.ts';
import type { FetchedFile } from '../registry/fetch-file.ts';
import { openLines } from '../state-lines.ts';

export interface PackageIndexes {
  /** sha256 of the index's bytes, hex. Single-flight per URL. */
  digest(url: string): Promise<Result<string>>;
}

interface Kept {
  readonly etag: string;
  readonly sha256: string;
}

export type FetchFile = (url: string, etag: string | undefined) => Promise<Result<FetchedFile>>;

/**
 * `folder` keeps ETags between runs; losing it costs one full download an index. What is kept is part of a build's key, and so only what
 * this user's runs wrote is believed: see {@link openLines}.
 */
export async function packageIndexes(
  folder: string,
  mark: string | undefined,
  fetchFile: FetchFile,
): Promise<PackageIndexes> {
  const kept = await openLines(folder, { name: 'indexes.ndjson', field: 'index', mark });
  const asked = new Map<string, Promise<Result<string>>>();

  async function ask(url: string): Promise<Result<string>> {
    const before = parseKept(kept.get(url));
    const fetched = await fetchFile(url, before?.etag);
    if (!fetched.ok) return fetched;
    if (fetched.value.kind === 'same') {
      if (before === undefined) throw new Error(`nothing is known that ${url} could be the same as`);
      return ok(before.sha256);
    }
    const { sha256, etag } = fetched.value;
    // What is known is not written once more, or the file would grow with every run.
    if (etag !== undefined && (etag !== before?.etag || sha256 !== before.sha256))
      await kept.put(url, `${sha256} ${etag}`);
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

/** The digest, a space, the ETag. */
function parseKept(text: string | undefined): Kept | undefined {
  const [, sha256, etag] = /^([0-9a-f]{64}) ([^]+)$/.exec(text ?? '') ?? [];
  return sha256 === undefined || etag === undefined ? undefined : { etag, sha256 };
}
