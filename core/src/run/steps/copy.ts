/** `image.copy@1`: the source's bytes, by digest, untagged; nothing is asked of the plugin when they are there. */
import { fail, type Result } from '../../failure.ts';
import { formatPinned, pin } from '../../reference.ts';
import { mirrorLocations } from '../../registry/mirrors.ts';
import type { Image, Probed, StepContext } from '../engine.ts';
import { readImage } from './image.ts';

export interface CopyInput {
  readonly probed: Probed;
}

export async function copyStep(step: StepContext, { probed }: CopyInput): Promise<Result<Image>> {
  const { engine, entry, task, signal } = step;
  if (probed.source === undefined) throw new Error(`${entry.id} has no source to copy`);
  const destination = pin(entry.targets[0].destination, probed.source.digest);
  const there = await engine.registry.head(destination, 'destination');
  if (!there.ok) return there;
  if (there.value !== undefined) {
    step.log('already in the destination repository');
    return readImage(engine.registry, destination);
  }
  const sources = mirrorLocations(engine.settings.mirrors, probed.source);
  await using context = await engine.context(task, 'image.copy@1', signal);
  const copied = await engine.host.call('image.copy@1', { sources, destination }, context);
  if (!copied.ok) return copied;
  if (copied.value.digest !== destination.digest) {
    return fail({
      reason: 'trust',
      class: 'permanent',
      message: `the copy of ${formatPinned(probed.source)} came out as ${copied.value.digest}`,
      hint: 'the plugin that copies altered the image; use one that keeps digests',
    });
  }
  return readImage(engine.registry, destination);
}
