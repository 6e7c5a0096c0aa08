/**
 * `core.resolve@1`: from here on there are digests only. Of a sync it makes sure that the source is there to be copied; of a
 * retag in its own repository it reads the image that the tag will name.
 */
import { fail, ok, type Result } from '../../failure.ts';
import { pin } from '../../reference.ts';
import { absent } from '../absent.ts';
import type { Image, Probed, StepContext } from '../engine.ts';
import { readImage } from './image.ts';

export interface ResolveInput {
  readonly probed: Probed;
  /** The image is in the destination repository already. */
  readonly inPlace: boolean;
}

export interface Resolution {
  readonly probed: Probed;
  /** Only when it is in place. */
  readonly image?: Image;
}

export async function resolveStep(
  { engine, entry }: StepContext,
  { probed, inPlace }: ResolveInput,
): Promise<Result<Resolution>> {
  const { source } = probed;
  if (source === undefined) return ok({ probed });
  if (inPlace) {
    const image = await readImage(engine.registry, source);
    return image.ok ? ok({ probed, image: image.value }) : image;
  }
  if (probed.justNamed === true) return ok({ probed });
  // A HEAD, because a GET counts as a pull on registries that count.
  const head = await engine.registry.head(source, 'source');
  if (!head.ok) return head;
  if (head.value !== undefined) return ok({ probed });
  // By digest alone: what the tag names does not matter any more.
  const hint = 'an old digest may have been removed upstream; take a newer one';
  return fail(absent(pin(source, source.digest), 'source', hint, entry.at));
}
