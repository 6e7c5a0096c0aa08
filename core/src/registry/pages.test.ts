import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { ok } from '../failure.ts';
import type { HttpResponse } from './http.ts';
import { readPages, type List } from './pages.ts';
import { failureOf, must, repository } from './test-client.ts';
import type { Wire } from './wire.ts';

/** A list without end; `onCall` hears the number of each page that is asked for. */
function endless(onCall: (page: number) => void): Pick<Wire, 'call'> {
  let page = 0;
  return {
    async call() {
      page += 1;
      // What a weak reference was made of is held until the turn ends.
      await setImmediate();
      onCall(page);
      const answer: HttpResponse = {
        status: 200,
        url: new URL(`http://host.example/list/${page}`),
        header: (name) => (name === 'link' ? `</list/${page + 1}>; rel="next"` : undefined),
        bytes: async () => ok(Buffer.from(`{"page":${page}}`)),
        async *stream() {},
        drain: async () => {},
      };
      return ok(answer);
    },
  };
}

function listOf(take: List['take']): List {
  const { path } = repository('host.example', 'a');
  const asked = { side: 'source', registry: 'host.example', what: 'the list' } as const;
  return { asked, repository: path, path: '/list/1', limit: 1_000_000, take };
}

test('a page is let go as soon as it has been taken', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const pages: WeakRef<object>[] = [];
  let held: number | undefined;
  const wire = endless((page) => {
    if (page !== 5) return;
    collect();
    held = pages.slice(0, 3).filter((one) => one.deref() !== undefined).length;
  });
  const take: List['take'] = (page) => {
    pages.push(new WeakRef(page as object));
    return pages.length === 5 ? 'foreign' : {};
  };
  expect(must(await readPages(wire as Wire, listOf(take)))).toMatchObject({ kind: 'foreign' });
  expect(held).toBe(0);
});

test('one that says that it is full is a list without end', async () => {
  const failure = failureOf(
    await readPages(
      endless(() => {}) as Wire,
      listOf(() => ({ full: true })),
    ),
  );
  expect(failure.message).toBe('host.example sent a list that does not end for the list');
});

test('a page a minute is not waited for a thousand minutes', async () => {
  let asked = 0;
  const now = performance.now();
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now + asked * 60_000);
  const wire = endless((page) => void (asked = page));
  const failure = failureOf(
    await readPages(
      wire as Wire,
      listOf(() => ({})),
    ),
  );
  clock.mockRestore();
  expect(failure).toMatchObject({ class: 'permanent', message: expect.stringContaining('in 10 minutes') });
  expect(asked).toBe(11);
});
