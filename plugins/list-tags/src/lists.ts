/** Reading a list page by page, whatever service it is of. */
import { ok, type ContractInput, type ContractOutput, type Result } from '@slipway/core';

export type Wanted = ContractInput<'tags.list@1'>;
export type Listed = ContractOutput<'tags.list@1'>;

/** A page: tag → digest as the service has them, and where the list goes on. */
export interface Page<Next> {
  readonly tags: readonly (readonly [tag: unknown, digest: unknown])[];
  readonly next?: Next;
}

const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** Until every wanted tag is found, the list ends, or the requests are used up. */
export async function readList<Next>(
  { tags: wanted, requests }: Wanted,
  first: Next,
  read: (at: Next) => Promise<Result<Page<Next>>>,
): Promise<Result<Listed>> {
  const found = new Map<string, string>();
  let at: Next | undefined = first;
  for (let asked = 0; asked < requests && at !== undefined; asked += 1) {
    const page: Result<Page<Next>> = await read(at);
    if (!page.ok) return page;
    for (const [tag, digest] of page.value.tags) {
      if (typeof tag === 'string' && TAG.test(tag) && typeof digest === 'string' && DIGEST.test(digest)) {
        found.set(tag, digest);
      }
    }
    at = page.value.next;
    if (wanted.every((tag) => found.has(tag))) break;
  }
  return ok({ tags: Object.fromEntries(found), complete: at === undefined });
}

/** A property of JSON that somebody else wrote. */
export function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Readonly<Record<string, unknown>>)[key]
    : undefined;
}

export function items(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}
