/**
 * `core.resolve@1`: from here on there are digests only. Of a sync it makes sure that the source is there to be copied; of a
 * retag in its own repository it reads the image that the tag will name.
 */
import { fail, ok, type Result } from '../../failure.ts';
import { pin } from '../../reference.ts';
import { absent } from '../absent.ts';
import type { Image, ProbedBuild, ProbedPublished, ProbedSync, StepContext } from '../engine.ts';
import { readImage } from './image.ts';

/** `inPlace`: the image is in the destination repository already. */
export type ResolveInput =
  | { readonly inPlace: true; readonly probed: ProbedSync | ProbedPublished }
  | { readonly inPlace: false; readonly probed: ProbedSync | ProbedBuild };

export interface Resolution {
  readonly probed: ResolveInput['probed'];
  /** Only when it is in place. */
  readonly image?: Image;
}

export async function resolveStep(
  { engine, entry }: StepContext,
  { probed, inPlace }: ResolveInput,
): Promise<Result<Resolution>> {
  if (inPlace) {
    const image = await readImage(engine.registry, probed.source);
    return image.ok ? ok({ probed, image: image.value }) : image;
  }
  if (probed.kind === 'build' || probed.justNamed) return ok({ probed });
  const { source } = probed;
  // A HEAD, because a GET counts as a pull on registries that count.
  const head = await engine.registry.head(source, 'source');
  if (!head.ok) return head;
  if (head.value !== undefined) return ok({ probed });
  // By digest alone: what the tag names does not matter any more.
  const hint = 'an old digest may have been removed upstream; take a newer one';
  return fail(absent(pin(source, source.digest), 'source', hint, entry.at));
}
