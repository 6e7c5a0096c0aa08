/**
 * Killed at any moment, a plain rerun ends where an undisturbed run ends. Each round kills the engine with SIGKILL after one
 * line of its journal, or one of the tools, and compares the registry from outside. `npm run soak` goes through every line;
 * otherwise a sample does.
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, test } from 'vitest';
import { HELLO, processesWith, project, type Project } from './chain/project.ts';
import { digestOf, source, verifies } from './chain/shorthand.ts';
import { crane, freshPath, world } from './world.ts';

const ALL = process.env['SLIPWAY_SOAK'] !== undefined;
/** Rounds of the sample. */
const SAMPLE = 5;

/** What a consumer can see: what each tag names, and what of ours is attached to which image. */
interface Seen {
  readonly tags: readonly (string | undefined)[];
  readonly attached: readonly string[];
}

interface Published {
  readonly made: Project;
  readonly paths: readonly [built: string, synced: string];
}

interface Reference {
  readonly seen: Seen;
  /** Events of a run with nothing done before. */
  readonly lines: number;
}

let from: { readonly path: string } | undefined;
let known: Reference | undefined;

/** What an undisturbed run comes to. */
async function reference(): Promise<Reference> {
  if (known !== undefined) return known;
  const whole = await fresh();
  const ran = await whole.made.run('run');
  expect(ran.code, ran.stdout).toBe(0);
  known = { seen: await look(whole), lines: (await whole.made.journals()).flat().length };
  return known;
}

async function fresh(): Promise<Published> {
  const { host } = world().destination;
  from ??= await source('crash');
  const [built, synced] = [freshPath('crash'), freshPath('crash')];
  const made = await project({
    build: [{ source: `./${HELLO}`, destination: `${host}/${built}:1` }],
    sync: [
      { source: `hub.slipway.example/${from.path}:1`, destination: `${host}/${synced}:1` },
      { source: `${host}/${built}:1`, destination: `${host}/${built}:stable` },
    ],
  });
  return { made, paths: [built, synced] };
}

async function look({ paths: [built, synced] }: Published): Promise<Seen> {
  const { host } = world().destination;
  const tags = await Promise.all(
    [`${built}:1`, `${built}:stable`, `${synced}:1`].map((name) => digestOf(`${host}/${name}`)),
  );
  const attached = new Set<string>();
  for (const path of [built, synced]) {
    const listed = (await crane('ls', `${host}/${path}`)).stdout.split('\n').filter((tag) => tag.startsWith('sha256-'));
    for (const tag of listed) {
      const { manifests } = JSON.parse((await crane('manifest', `${host}/${path}:${tag}`)).stdout) as {
        readonly manifests: readonly { readonly annotations?: Readonly<Record<string, string>> }[];
      };
      // Duplicates are tolerated: which statements about which image by whom, not how often or when.
      for (const { annotations = {} } of manifests) {
        const said = Object.entries(annotations).filter(
          ([name, value]) => !name.endsWith('key') && !/^\d{4}-\d\d-/.test(value),
        );
        attached.add([tag, ...said.map(([, value]) => value).toSorted()].join(' '));
      }
    }
  }
  return { tags, attached: [...attached].toSorted() };
}

/** Starts a run, calls `strike` when so many events were reported, and waits for its end. */
async function struck(
  made: Project,
  after: number,
  strike: (child: { kill(signal: 'SIGKILL'): unknown }) => Promise<void>,
): Promise<number> {
  const running = made.start('run', '--progress', 'json');
  let seen = 0;
  const events = createInterface({ input: running.child.stderr as NodeJS.ReadableStream });
  events.on('line', () => {
    seen += 1;
    if (seen === after) void strike(running.child);
  });
  return (await running.ended).code;
}

/** A run that was killed, and what must hold after the next one. */
async function converges(published: Published): Promise<void> {
  const { made, paths } = published;
  const again = await made.run('run');
  expect(again.code, again.stdout + again.stderr).toBe(0);
  expect(await look(published)).toEqual((await reference()).seen);
  const { host } = world().destination;
  for (const name of [`${paths[0]}:1`, `${paths[0]}:stable`, `${paths[1]}:1`]) {
    expect(await verifies(`${host}/${name}`, world().keys.production.publicKey)).toBe(true);
  }
  expect((await made.run('verify', '--deep')).code).toBe(0);
  expect(await readdir(join(made.folder, '.slipway', 'tmp')), 'no temporary folder outlives the next run').toEqual([]);
  expect(await processesWith(made.folder)).toEqual([]);
}

/** The first and the last line, and some between, other ones in each run of the tests. */
function moments(lines: number): readonly number[] {
  if (ALL) return Array.from({ length: lines }, (_, index) => index + 1);
  const part = lines / SAMPLE;
  return Array.from({ length: SAMPLE }, (_, index) => Math.max(1, Math.ceil(part * (index + Math.random()))));
}

describe('killed with SIGKILL', () => {
  test(
    'after a line of the journal: the next run ends where an undisturbed one does, and leaves nothing',
    async () => {
      const { lines } = await reference();
      for (const after of moments(lines)) {
        const published = await fresh();
        await struck(published.made, after, async (child) => void child.kill('SIGKILL'));
        expect.soft(await gone(published.made), `after line ${after} of ${lines}`).toEqual([]);
        await converges(published).catch((error: unknown) => {
          throw new Error(`after line ${after} of ${lines}`, { cause: error });
        });
      }
    },
    ALL ? 3_600_000 : 300_000,
  );

  test(
    'a tool: what it did is tried again, or done by the next run',
    async () => {
      const { lines } = await reference();
      let killed = 0;
      for (const after of moments(lines).slice(0, ALL ? undefined : 3)) {
        const published = await fresh();
        await struck(published.made, after, async () => {
          // The engine waits for one tool or another through most of a run.
          const [line] = (await processesWith(published.made.folder)).filter((process) => !process.includes('main.ts'));
          if (line === undefined) return;
          tryKill(Number(line.split(' ', 1)[0]));
          killed += 1;
        });
        await converges(published);
      }
      expect(killed).toBeGreaterThan(0);
    },
    ALL ? 3_600_000 : 300_000,
  );
});

/** Tools of a killed engine end with it, within the time that the kernel needs. */
async function gone(made: Project): Promise<readonly string[]> {
  let left: readonly string[] = [];
  await expect.poll(async () => (left = await processesWith(made.folder)), { timeout: 5_000 }).toEqual([]);
  return left;
}

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
