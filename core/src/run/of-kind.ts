/** Steps that only syncs have, or only builds. */
import type { Entry } from '../config/model.ts';
import type { StepContext } from './engine.ts';

type EntryOf<Kind extends Entry['kind']> = Extract<Entry, { readonly kind: Kind }>;

/** The step with its entry's kind in its type. The plan gives no entry a step of the other kind. */
export function ofKind<Kind extends Entry['kind']>(step: StepContext, kind: Kind): StepContext<EntryOf<Kind>> {
  if (isOfKind(step, kind)) return step;
  throw new Error(`${step.task.id} is a step of a ${kind}, and its entry is none`);
}

export function isOfKind<Kind extends Entry['kind']>(
  step: StepContext,
  kind: Kind,
): step is StepContext<EntryOf<Kind>> {
  return step.entry.kind === kind;
}
