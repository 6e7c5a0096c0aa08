import { expect, test } from 'vitest';
import { fail, type RegistryFailure } from '../failure.ts';
import type { Pinned } from '../reference.ts';
import { copyFromFirst } from './copying.ts';

const digest = `sha256:${'a'.repeat(64)}` as const;
const at = (registry: string) => ({ kind: 'pinned', registry, path: 'a', digest }) as Pinned;

test.each([1, 2])(
  'of %i sources that fail each is told once: the last by the failure, the others in the log',
  async (count) => {
    const log: string[] = [];
    const names = ['one.example', 'two.example'].slice(0, count);
    const [first = at('none.example'), ...others] = names.map(at);
    const context = { log: (line: string) => void log.push(line), signal: new AbortController().signal };
    const refused = ({ registry }: Pinned): RegistryFailure => ({
      ...{ reason: 'registry', class: 'permanent', side: 'source', host: registry },
      message: `${registry} says no`,
    });
    const input = { sources: [first, ...others], destination: at('d.example') } as const;
    const copied = await copyFromFirst(input as never, context, async (source) => fail(refused(source)));
    expect(copied).toMatchObject({
      ok: false,
      failure: { message: expect.stringContaining(`${names.at(-1)} says no`) },
    });
    expect(log).toEqual(names.slice(0, -1).map((name) => `${name} says no`));
  },
);
