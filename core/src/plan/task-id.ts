/** `build:ghcr.io/a/b:1` of its task `build:ghcr.io/a/b:1#scan`. What builds a package for several belongs to none of them. */
export function entryOfTask(id: string): string {
  return id.slice(0, id.lastIndexOf('#'));
}
