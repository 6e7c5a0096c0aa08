/** What a scanner is asked about an image, for commands that ask one outside of a run. */
import { configFailure, fail, ok, type Result } from '../failure.ts';
import type { ScanInput } from '../plugin/contract-api.ts';
import { formatReference, pin, type Reference } from '../reference.ts';
import type { Registry } from '../registry/model.ts';
import { absent } from './absent.ts';
import { readableChildren, readImage } from './steps/image.ts';

/** The image that `reference` names now, with every platform; a failure when it is not there or has none. */
export async function readScanInput(registry: Registry, reference: Reference): Promise<Result<ScanInput>> {
  const head = await registry.head(reference, 'destination');
  if (!head.ok) return head;
  if (head.value === undefined)
    return fail(absent(reference, 'destination', 'check the name, and that the account may see it'));
  const subject = pin(reference, head.value.digest);
  const image = await readImage(registry, subject);
  if (!image.ok) return image;
  const children = readableChildren(image.value);
  if (children.length > 0) return ok({ subject, children });
  return fail(configFailure(`${formatReference(reference)} holds no container image`, 'name an image with a platform'));
}
