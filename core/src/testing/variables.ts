/** Environment variables of this process, changed for a while: a plugin runs in it, and what it starts inherits them. */

/** Runs `body` with these set; afterwards each is as it was. */
export async function withVariables<T>(changes: Readonly<Record<string, string>>, body: () => Promise<T>): Promise<T> {
  const before = Object.keys(changes).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, changes);
  try {
    return await body();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}
