/** Values of settings that are kept in the environment. */

/** `env://NAME` → `NAME`; undefined: the value is no name of a variable. */
export function variableIn(value: string | undefined): string | undefined {
  return value?.startsWith('env://') === true ? value.slice('env://'.length) : undefined;
}
