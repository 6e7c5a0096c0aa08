/** What tags of sources name: asked once a run, so that all that is made from one tag is made from one digest. */
import { ok, type Result } from '../failure.ts';
import { formatReference, type Digest, type Reference } from '../reference.ts';
import type { Engine } from './engine.ts';

type Answer = Promise<Result<Digest | undefined>>;

const asked = new WeakMap<Engine, Map<string, Answer>>();

export function askedOnce(engine: Engine, reference: Reference): Answer {
  const answers = asked.get(engine) ?? new Map<string, Answer>();
  asked.set(engine, answers);
  const key = formatReference(reference);
  const known = answers.get(key);
  if (known !== undefined) return known;
  const answer = engine.registry.head(reference, 'source').then((head): Result<Digest | undefined> => {
    // A failure may pass: the next one to need it asks again.
    if (!head.ok) answers.delete(key);
    return head.ok ? ok(head.value?.digest) : head;
  });
  answers.set(key, answer);
  return answer;
}
