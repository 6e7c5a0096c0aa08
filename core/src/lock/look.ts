/** What registries say of the sources to be locked. Each is asked once, however many entries have it. */
import type { SourceVerification, SyncEntry } from '../config/model.ts';
import { cancelled, fail, ok, type Failed, type Position, type Result } from '../failure.ts';
import { once } from '../once.ts';
import { formatReference, type Digest, type Pinned, type Tagged } from '../reference.ts';
import type { Registry } from '../registry/model.ts';
import { absent } from '../run/absent.ts';
import type { LockedImage } from './model.ts';
import { readPlatforms } from './platforms.ts';

/** Checks an image as `verify:` asks; gives who signed it, where somebody had to. */
export type VerifySource = (image: Pinned, verification: SourceVerification) => Promise<Result<string | undefined>>;

/** The part of an entry or a selection that says what to look up. */
export type Asked = Pick<SyncEntry, 'at' | 'verify'>;

export interface LookOptions {
  readonly registry: Registry;
  /** Nothing is verified when absent. */
  readonly verify?: VerifySource;
  readonly signal: AbortSignal;
}

export interface Look {
  /** What the tag names now. A failure is told at `at`. */
  headOf(reference: Tagged, at: Position): Promise<Result<Digest>>;
  /** What is locked of an image: its platforms, and who signed it. */
  imageOf(image: Pinned, asked: Asked): Promise<Result<LockedImage>>;
}

export function createLook({ registry, verify, signal }: LookOptions): Look {
  const heads = new Map<string, Promise<Result<Digest>>>();
  const platforms = new Map<string, Promise<Result<readonly string[]>>>();

  async function headOf(reference: Tagged, at: Position): Promise<Result<Digest>> {
    const digest = await once(heads, formatReference(reference), async () => {
      if (signal.aborted) return fail(cancelled);
      const head = await registry.head(reference, 'source');
      if (!head.ok) return head;
      if (head.value !== undefined) return ok(head.value.digest);
      const hint = 'check the name; a private repository also answers so to whoever may not read it';
      return fail(absent(reference, 'source', hint));
    });
    return digest.ok ? digest : blame(digest, at);
  }

  async function imageOf(image: Pinned, { at, verify: wanted }: Asked): Promise<Result<LockedImage>> {
    const found = await once(platforms, formatReference(image), () => readPlatforms(registry, image));
    if (!found.ok) return blame(found, at);
    const verified = wanted === undefined || verify === undefined ? ok(undefined) : await verify(image, wanted);
    if (!verified.ok) return blame(verified, at);
    return ok({
      digest: image.digest,
      platforms: found.value,
      ...(verified.value === undefined ? {} : { verified: verified.value }),
    });
  }

  return { headOf, imageOf };
}

function blame(result: Failed, at: Position): Failed {
  return fail({ at, ...result.failure });
}
