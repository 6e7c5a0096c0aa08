/** The command line of the benchmarks: `--name value`, a number, a list or a text. */

export function option(name: string, otherwise: number): number {
  const text = textOption(name);
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0) throw new Error(`--${name} is a number`);
  return value;
}

/** `--only a,b`; undefined when it is not given. */
export function listOption(name: string): readonly string[] | undefined {
  return textOption(name)?.split(',');
}

/** As it is written; undefined when it is not given. */
export function textOption(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}
