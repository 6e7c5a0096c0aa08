/** Go templates, as far as what they say can be said in a config: https://pkg.go.dev/text/template */

export type Expanded = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly action: string };

/** `{{ … }}`, with what a `-` at either end takes away. */
const ACTION = /(\s*\{\{-\s|\{\{)(.*?)(\s-\}\}\s*|\}\})/gs;
const LITERAL = /^"((?:[^"\\]|\\.)*)"$|^`([^`]*)`$/;

/** `backup-{{.Ref.Tag}}` → `backup-{tag}`. `values` by their name in Go, as `.Ref.Tag`. Fails at the first action that is none of these. */
export function expandTemplate(template: string, values: Readonly<Record<string, string>>): Expanded {
  let unknown: string | undefined;
  const text = template.replaceAll(ACTION, (_, _open, action: string) => {
    const value = evaluate(action.trim(), values);
    if (value === undefined) unknown ??= action.trim();
    return value ?? '';
  });
  return unknown === undefined ? { ok: true, text } : { ok: false, action: unknown };
}

function evaluate(action: string, values: Readonly<Record<string, string>>): string | undefined {
  const date = /^\(?\s*time\.Now\.Format\s+("[^"]*")\s*\)?$/.exec(action)?.[1];
  if (date !== undefined) return literal(date) === '2006-01-02' ? '{date}' : undefined;
  const printf = /^printf\s+("(?:[^"\\]|\\.)*")\s*(.*)$/s.exec(action);
  if (printf !== null) return format(literal(printf[1] ?? ''), (printf[2] ?? '').split(/\s+/).filter(Boolean), values);
  if (Object.hasOwn(values, action)) return values[action];
  return literal(action);
}

function literal(text: string): string | undefined {
  const [whole, quoted, raw] = LITERAL.exec(text) ?? [];
  if (whole === undefined) return undefined;
  // Other escapes than these two have no place in a name.
  return raw ?? quoted?.replaceAll(/\\(["\\])/g, '$1');
}

/** `%s` alone. */
function format(
  pattern: string | undefined,
  args: readonly string[],
  values: Readonly<Record<string, string>>,
): string | undefined {
  const verbs = pattern?.match(/%./g) ?? [];
  if (pattern === undefined || verbs.length !== args.length || verbs.some((verb) => verb !== '%s')) return undefined;
  const evaluated = args.map((arg) => evaluate(arg, values));
  if (evaluated.includes(undefined)) return undefined;
  let next = 0;
  return pattern.replaceAll('%s', () => evaluated[next++] ?? '');
}
