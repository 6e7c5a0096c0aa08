/**
 * Annotations of a step, of which GitHub shows few: one for each cause, refusals among failures, and a sentence for the rest.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message
 */
import { clean } from '../wording.ts';
import { withoutCommands, workflowCommand } from './commands.ts';

/** GitHub shows so many of a step, and drops the rest without a word. One place is kept for the sentence that says so. */
const MAX_ANNOTATIONS = 10;
const PLACES = MAX_ANNOTATIONS - 1;
/** Places that neither kind takes from the other before the end. */
const SHARES = { failed: 5, refused: 4 } as const;

export type Kind = 'error' | 'warning';
export type Properties = Readonly<Record<string, string | number | undefined>>;

export interface Blame {
  readonly state: keyof typeof SHARES;
  /** What is the same for all that went wrong together. */
  readonly cause: string;
}

export interface Annotate {
  (kind: Kind, message: string, properties: Properties, blame?: Blame): readonly string[];
  /** Those for which there is room after all, and how many are left out. */
  rest(): readonly string[];
}

interface Kept {
  readonly message: string;
  readonly properties: Properties;
}

export function annotator(): Annotate {
  const counts = { error: 0, warning: 0 };
  const shown = { error: 0, warning: 0 };
  const used = { failed: 0, refused: 0 };
  const causes = new Set<string>();
  /** Errors whose kind has had its share. */
  const kept: Kept[] = [];
  const show = (kind: Kind, message: string, properties: Properties): readonly string[] => {
    shown[kind] += 1;
    return [workflowCommand(kind, message, properties)];
  };
  const annotate = (kind: Kind, message: string, properties: Properties, blame?: Blame): readonly string[] => {
    counts[kind] += 1;
    const line = [oneLine(`${kind}: ${message}`)];
    if (blame !== undefined) {
      const { state, cause } = blame;
      if (causes.has(cause)) return line;
      causes.add(cause);
      used[state] += 1;
      if (used[state] > SHARES[state]) {
        kept.push({ message, properties });
        return line;
      }
    }
    return shown[kind] < PLACES ? show(kind, message, properties) : line;
  };
  const rest = (): readonly string[] => [
    ...kept.slice(0, PLACES - shown.error).flatMap(({ message, properties }) => show('error', message, properties)),
    ...(['error', 'warning'] as const).flatMap((kind) => {
      const more = counts[kind] - shown[kind];
      return more < 1 ? [] : [workflowCommand(kind, `and ${more} more ${kind}${more === 1 ? '' : 's'}: see the log`)];
    }),
  ];
  return Object.assign(annotate, { rest });
}

/** What is no command of ours must not be one of others'. */
export function oneLine(text: string): string {
  return withoutCommands(clean(text).replaceAll('\n', ' '));
}
