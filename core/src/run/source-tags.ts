/** What tags of sources name: where several entries are made from one, all that is made is of one digest. */
import { ok, type Result } from '../failure.ts';
import type { Plan } from '../plan/model.ts';
import { formatReference, type Digest, type Reference } from '../reference.ts';
import type { Engine } from './engine.ts';
import { oncePer } from './once-per.ts';

type Answer = Promise<Result<Digest | undefined>>;

const askedOf = oncePer<Engine, Map<string, Answer>>(() => new Map());

export function askedOnce(engine: Engine, reference: Reference): Answer {
  const answers = askedOf(engine);
  const key = formatReference(reference);
  const known = answers.get(key);
  if (known !== undefined) return known;
  const answer = ask(engine, reference).then((digest) => {
    // A failure may pass: the next one to need it asks again.
    if (!digest.ok) answers.delete(key);
    return digest;
  });
  answers.set(key, answer);
  return answer;
}

/** The source of a sync. Of ten thousand tags hardly any is named twice, and only those are worth remembering. */
export function sourceTag(engine: Engine, source: Reference): Answer {
  const isShared = sharedSources(engine.planned.plan).has(formatReference(source));
  return isShared ? askedOnce(engine, source) : ask(engine, source);
}

async function ask({ registry }: Engine, reference: Reference): Answer {
  const head = await registry.head(reference, 'source');
  return head.ok ? ok(head.value?.digest) : head;
}

/** Those that more than one entry names. */
const sharedSources = oncePer((plan: Plan): ReadonlySet<string> => {
  const [seen, found] = [new Set<string>(), new Set<string>()];
  for (const { source } of plan.entries) (seen.has(source) ? found : seen).add(source);
  return found;
});
