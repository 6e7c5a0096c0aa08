/** Go templates, as far as what they say can be said in a config: https://pkg.go.dev/text/template */
import { readTokens, type Token } from './go-tokens.ts';

export type Expanded =
  | { readonly ok: true; readonly text: string; readonly variables: readonly string[] }
  /** `unset`: variables of the environment that have no value; without any, the action cannot be filled in at all. */
  | { readonly ok: false; readonly action: string; readonly unset: readonly string[] };

export interface Known {
  /** By their name in Go, as `.Ref.Tag`. */
  readonly values: Readonly<Record<string, string>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** `{{ … }}`, with what a `-` at either end takes away. */
const ACTION = /(\s*\{\{-\s|\{\{)(.*?)(\s-\}\}\s*|\}\})/gs;

/** `backup-{{.Ref.Tag}}` → `backup-{tag}`. Fails at the first action that cannot be filled in. */
export function expandTemplate(template: string, known: Known): Expanded {
  const variables = new Set<string>();
  const unset = new Set<string>();
  let unknown: string | undefined;
  const text = template.replaceAll(ACTION, (_, _open, action: string) => {
    const value = evaluate(action, known);
    if (typeof value?.of !== 'string') {
      unknown ??= action.trim();
      return '';
    }
    for (const name of value.variables) variables.add(name);
    for (const name of value.unset) unset.add(name);
    return value.of;
  });
  if (unknown !== undefined) return { ok: false, action: unknown, unset: [] };
  if (unset.size > 0) return { ok: false, action: template, unset: [...unset] };
  return { ok: true, text, variables: [...variables] };
}

interface Value {
  readonly of: string | number | readonly string[];
  readonly variables: readonly string[];
  readonly unset: readonly string[];
}

function evaluate(action: string, known: Known): Value | undefined {
  const tokens = readTokens(action);
  if (tokens === undefined) return undefined;
  let next = 0;
  const value = pipeline();
  return next === tokens.length ? value : undefined;

  function pipeline(): Value | undefined {
    let value = command([]);
    while (value !== undefined && tokens?.[next]?.kind === '|') {
      next += 1;
      // What a command gives is the last argument of the next.
      value = command([value]);
    }
    return value;
  }

  function command(piped: readonly Value[]): Value | undefined {
    const [first] = tokens?.slice(next) ?? [];
    if (first?.kind === 'name' && !first.text.startsWith('.')) {
      next += 1;
      const args: Value[] = [];
      for (let arg = operand(); arg !== undefined; arg = operand()) args.push(arg);
      return call(first.text, [...args, ...piped], known);
    }
    return piped.length === 0 ? operand() : undefined;
  }

  /** `undefined`, and nothing read: there is none. */
  function operand(): Value | undefined {
    const token = tokens?.[next];
    const start = next;
    next += 1;
    const value = token === undefined ? undefined : single(token);
    if (value === undefined) next = start;
    return value;
  }

  function single(token: Token): Value | undefined {
    if (token.kind === 'text') return valueOf(token.text);
    if (token.kind === 'number') return valueOf(Number(token.text));
    if (token.kind === 'name' && Object.hasOwn(known.values, token.text))
      return valueOf(known.values[token.text] ?? '');
    if (token.kind !== '(') return undefined;
    const inside = pipeline();
    if (tokens?.[next]?.kind !== ')') return undefined;
    next += 1;
    return inside;
  }
}

function valueOf(of: Value['of'], from: readonly Value[] = []): Value {
  return { of, variables: from.flatMap(({ variables }) => variables), unset: from.flatMap(({ unset }) => unset) };
}

/** What regsync adds to Go's own: https://github.com/regclient/regclient/blob/v0.11.7/pkg/template/template.go */
function call(name: string, args: readonly Value[], { environment }: Known): Value | undefined {
  const [a, b] = args.map(({ of }) => of);
  const made = (of: Value['of'] | undefined): Value | undefined => (of === undefined ? undefined : valueOf(of, args));
  switch (name) {
    case 'env': {
      if (typeof a !== 'string' || args.length !== 1) return undefined;
      const value = environment[a] ?? '';
      return { of: value, variables: [a], unset: value === '' ? [a] : [] };
    }
    case 'default':
      if (args.length !== 2) return undefined;
      return b === '' ? args[0] : args[1];
    case 'time.Now.Format':
      return made(a === '2006-01-02' && args.length === 1 ? '{date}' : undefined);
    case 'printf':
      return made(format(a, args.slice(1)));
    case 'split':
      return made(isKnown(a) && typeof b === 'string' ? a.split(b) : undefined);
    case 'join':
      return made(Array.isArray(a) && typeof b === 'string' ? a.join(b) : undefined);
    case 'index':
      return made(Array.isArray(a) && typeof b === 'number' ? (a as readonly string[])[b] : undefined);
    case 'lower':
      return made(isKnown(a) ? a.toLowerCase() : undefined);
    case 'upper':
      return made(isKnown(a) ? a.toUpperCase() : undefined);
    case 'trimSpace':
      return made(isKnown(a) ? a.trim() : undefined);
    default:
      return undefined;
  }
}

/** A text that is known now, not one that is filled in later, as `{tag}`. */
function isKnown(value: unknown): value is string {
  return typeof value === 'string' && !value.includes('{');
}

/** `%s` alone. */
function format(pattern: unknown, args: readonly Value[]): string | undefined {
  if (typeof pattern !== 'string') return undefined;
  const verbs = pattern.match(/%./g) ?? [];
  const texts = args.map(({ of }) => of).filter((of) => typeof of === 'string');
  if (verbs.length !== texts.length || texts.length !== args.length || verbs.some((verb) => verb !== '%s')) {
    return undefined;
  }
  let next = 0;
  return pattern.replaceAll('%s', () => texts[next++] ?? '');
}
