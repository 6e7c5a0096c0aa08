/** `core.push@1`: a layout into the destination repository, by digest; no tag knows of it yet. */
import { fail, type Result } from '../../failure.ts';
import { pin } from '../../reference.ts';
import { copy } from '../../registry/copy.ts';
import type { BuildOutput, Image, StepContext } from '../engine.ts';
import { readImage } from './image.ts';

export interface PushInput {
  readonly built: BuildOutput;
}

export async function pushStep(step: StepContext, { built }: PushInput): Promise<Result<Image>> {
  const { engine, entry, signal } = step;
  const repository = entry.targets[0].destination;
  if (built.kind === 'reused') return readImage(engine.registry, pin(repository, built.digest));
  const { content, root } = built.built.layout;
  const { digest } = root;
  const copied = await copy(content, engine.registry.content(repository, 'destination'), digest, {
    signal,
  });
  if (!copied.ok) return copied;
  if (copied.value.root.descriptor.digest !== digest) {
    return fail({
      reason: 'trust',
      class: 'permanent',
      message: `the layout's ${digest} was pushed as ${copied.value.root.descriptor.digest}`,
    });
  }
  const image = await readImage(engine.registry, pin(repository, digest));
  // Only now: a registry that shows the image late is asked again, and that try begins with the layout.
  if (image.ok) await built.release();
  return image;
}
