/** Who signed a source, by the plugin that verifies images: `image.verify@1`. */
import type { Accept } from '../config/settings-model.ts';
import { fail, type Failure, type Result } from '../failure.ts';
import { sameRepository, type Pinned } from '../reference.ts';
import { mirrorLocations, trustedMirrors } from '../registry/mirrors.ts';
import type { VerifiedSource } from '../trust/predicates/copy.ts';
import type { Looking } from './engine.ts';
import { trustedRootOf } from './steps/origin.ts';

/** Signatures are looked for wherever the image may be read: they name its digest, so it does not matter who keeps them. */
export async function signedSomewhere(
  { engine, task, signal }: Looking,
  source: Pinned,
  accept: readonly [Accept, ...Accept[]],
  log: (line: string) => void,
): Promise<Result<VerifiedSource>> {
  const { mirrors } = engine.settings;
  const trusted = trustedMirrors(mirrors, source);
  const trustedRoot = trustedRootOf(engine);
  /** What was said where it counts, and what was said last. */
  let verdict: Failure | undefined;
  let last: Failure | undefined;
  for (const image of mirrorLocations(mirrors, source)) {
    await using context = await engine.context(task, 'image.verify@1', signal);
    const input = { image, accept, ...(trustedRoot === undefined ? {} : { trustedRoot }) };
    const verified = await engine.host.call('image.verify@1', input, context);
    if (verified.ok) return verified;
    last = verified.failure;
    log(last.message);
    // A mirror that may not say what a tag names may lack signatures: then the origin must be heard.
    const counts = sameRepository(image, source) || trusted.some((place) => sameRepository(place, image));
    if (last.reason === 'trust' && counts) verdict = last;
  }
  const failure = verdict ?? last;
  if (failure === undefined) throw new Error('there is no place to look for signatures');
  return fail(failure);
}
