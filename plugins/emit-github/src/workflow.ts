/** Workflows as data, and their text: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax */
import { Document, isScalar, visit } from 'yaml';

export interface Step {
  readonly name: string;
  readonly id?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, string | boolean>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Without any `${{ }}`: what is evaluated before the shell sees it could be a command. */
  readonly run?: string;
}

export interface Job {
  readonly name: string;
  readonly 'runs-on': string;
  readonly if?: string;
  readonly needs?: readonly string[];
  readonly permissions: Readonly<Record<string, 'read' | 'write'>>;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

export interface Workflow {
  readonly name: string;
  readonly on: Readonly<Record<string, unknown>>;
  /** None, unless a job asks for one. */
  readonly permissions: Readonly<Record<string, never>>;
  readonly concurrency: { readonly group: string; readonly 'cancel-in-progress': boolean };
  readonly defaults: { readonly run: { readonly shell: 'bash' } };
  readonly jobs: Readonly<Record<string, Job>>;
}

/** By the digest of a released commit: a tag may be moved by whoever holds the repository. */
export const actions = {
  checkout: 'actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1',
  cache: 'actions/cache@27d5ce7f107fe9357f9df03efb73ab90386fccae',
} as const;

const releases: ReadonlyMap<unknown, string> = new Map([
  [actions.checkout, 'v7.0.1'],
  [actions.cache, 'v5.0.5'],
]);

/** By its first line a file of ours is known again. */
export const HEADER =
  '# Written by `slipway emit github`, which writes it again when the config or the settings change: do not edit.\n';

/**
 * The same bytes for the same workflow. What several jobs share, as one object, is written once, and elsewhere is an alias:
 * https://docs.github.com/en/actions/reference/workflows-and-actions/reusing-workflow-configurations#yaml-anchors-and-aliases
 */
export function format(workflow: Workflow): string {
  const document = new Document(workflow);
  visit(document, {
    Pair(_, { key, value }) {
      if (isScalar(key) && key.value === 'uses' && isScalar(value)) value.comment = ` ${releases.get(value.value)}`;
    },
  });
  return `${HEADER}${document.toString({ lineWidth: 0 })}`;
}

/** Text that is no expression, where expressions are evaluated. */
export function literal(text: string): string {
  return text.replaceAll('${{', "${{ '${{' }}");
}

export function expression(code: string): string {
  return `\${{ ${code} }}`;
}
