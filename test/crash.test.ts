/**
 * Killed at any moment, a plain rerun ends where an undisturbed run ends. Each round kills the engine with SIGKILL after one line
 * of its journal or at a random moment, or one of its tools, and compares the registries from outside. `npm run soak` goes through
 * every line and many moments; otherwise a sample does. `SLIPWAY_SEED=7` repeats one.
 */
import { readdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import PQueue from 'p-queue';
import { describe, expect, test } from 'vitest';
import { processesWith, type Project } from './chain/project.ts';
import { verifies } from './chain/shorthand.ts';
import { killEngine, killTool, type Moment, type Part, type Variables } from './crash/kills.ts';
import type { Seen } from './crash/places.ts';
import { random, seed } from './crash/random.ts';
import { rich, small, type Published, type Shape } from './crash/shapes.ts';
import { world } from './world.ts';

const ALL = process.env['SLIPWAY_SOAK'] !== undefined;
/** Rounds at once: a run waits for registries and for its tools' start most of the time. */
const AT_ONCE = ALL ? 2 * availableParallelism() : 1;
const TIMEOUT = ALL ? 4 * 3_600_000 : 300_000;
/** Without it only what has started them ends the tools of a killed engine. */
const NO_NAMESPACE: Variables = { SLIPWAY_PID_NAMESPACE: 'off' };

/** Tool by tool, what of it is killed. */
const PARTS: Readonly<Record<string, readonly Part[]>> = ALL
  ? Object.fromEntries(
      ['apko', 'cosign', 'trivy', 'melange', 'buildx'].map((tool) => [tool, ['tool', 'namespace', 'starter']]),
    )
  : { apko: ['tool'], cosign: ['namespace'], trivy: ['starter'] };

/** What an undisturbed run comes to. */
interface Reference {
  readonly seen: readonly Seen[];
  readonly files: ReadonlySet<string>;
  /** Events of a run with nothing done before. */
  readonly lines: number;
}

const references = new Map<string, Promise<Reference>>();

function reference(shape: Shape): Promise<Reference> {
  const known = references.get(shape.name) ?? undisturbed(shape);
  references.set(shape.name, known);
  return known;
}

async function undisturbed(shape: Shape): Promise<Reference> {
  const published = await shape.fresh();
  const ran = await published.made.run('run');
  expect(ran.code, ran.stdout + ran.stderr).toBe(0);
  const lines = (await published.made.journals()).flat().length;
  // Another one, so that both have seen a run with nothing to do.
  expect((await published.made.run('run')).code).toBe(0);
  return { seen: await look(published), files: new Set(await filesOf(published.made)), lines };
}

function look({ places }: Published): Promise<readonly Seen[]> {
  return Promise.all(places.map((place) => place()));
}

/** Place by place, what is there and should not be (`+`), and what is not (`-`). */
function differences(expected: readonly Seen[], actual: readonly Seen[]): readonly string[] {
  const linesOf = (all: readonly Seen[], at: number): readonly string[] =>
    [...(all[at]?.tags ?? []), ...(all[at]?.attached ?? [])].map((line) => `place ${at}: ${line}`);
  return expected.flatMap((_, at) => {
    const [should, does] = [linesOf(expected, at), linesOf(actual, at)];
    return [
      ...does.filter((line) => !should.includes(line)).map((line) => `+ ${line}`),
      ...should.filter((line) => !does.includes(line)).map((line) => `- ${line}`),
    ];
  });
}

/** All that lies in the project's folder, but what runs and tools' caches add to, and what is named by its content. */
async function filesOf({ folder }: Project): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => !/^(?:\.slipway\/(?:runs|work|uploads)|out\/blobs)(?:\/|$)/.test(name)).toSorted();
}

/** A run that was killed, and what must hold after the next one. */
async function converges(shape: Shape, published: Published, env: Variables = {}): Promise<void> {
  const { made, references: names } = published;
  const again = await made.runWith({ env }, 'run');
  expect(again.code, again.stdout + again.stderr).toBe(0);
  const { seen, files } = await reference(shape);
  const other = differences(seen, await look(published));
  expect(other, other.join('\n')).toEqual([]);
  const believed = await Promise.all(names.map((name) => verifies(name, world().keys.production.publicKey)));
  expect(believed).toEqual(names.map(() => true));
  const verified = await made.run('verify', '--deep');
  expect(verified.code, verified.stdout).toBe(0);
  expect(await readdir(join(made.folder, '.slipway', 'tmp')), 'no temporary folder outlives the next run').toEqual([]);
  const left = (await filesOf(made)).filter((name) => !files.has(name));
  expect(left, left.join(' ')).toEqual([]);
  expect(await processesWith(made.folder)).toEqual([]);
}

/** Tools of a killed engine end with it, within the time that the kernel needs, or what has started them. */
async function gone(made: Project): Promise<void> {
  await expect.poll(() => processesWith(made.folder), { timeout: 5_000 }).toEqual([]);
}

interface Round {
  readonly name: string;
  play(): Promise<void>;
}

/** Every round is played, whatever became of those before; what went wrong in which. */
async function play(rounds: readonly Round[]): Promise<readonly string[]> {
  const queue = new PQueue({ concurrency: AT_ONCE });
  const failed: string[] = [];
  const from = performance.now();
  let played = 0;
  for (const round of rounds) {
    void queue.add(async () => {
      await round.play().catch((error: unknown) => {
        failed.push(`${round.name}, SLIPWAY_SEED=${seed}: ${error instanceof Error ? error.stack : String(error)}`);
        if (ALL) tell(failed.at(-1) ?? '');
      });
      played += 1;
      if (ALL) tell(`${played} of ${rounds.length} rounds, ${failed.length} failed, ${since(from)} s: ${round.name}`);
    });
  }
  await queue.onIdle();
  return failed;
}

function since(from: number): string {
  return ((performance.now() - from) / 1000).toFixed(0);
}

function tell(line: string): void {
  process.stderr.write(`soak: ${line}\n`);
}

/** The first and the last line, and some between, other ones in each run of the tests. */
function moments(lines: number, sample: number): readonly number[] {
  if (ALL) return Array.from({ length: lines }, (_, index) => index + 1);
  const part = lines / sample;
  return Array.from({ length: sample }, (_, index) => Math.max(1, Math.ceil(part * (index + random('line', index)))));
}

/** Between two lines, most of the time; one in ten in the second in which the run starts. */
function moment(lines: number, ...round: readonly number[]): Moment {
  if (random('start', ...round) < 0.1) return { after: 0, delay: 1 + Math.floor(random('delay', ...round) * 1000) };
  const after = 1 + Math.floor(random('line', ...round) * lines);
  return { after, delay: 1 + Math.floor(random('delay', ...round) * 300) };
}

describe(`killed with SIGKILL, SLIPWAY_SEED=${seed}`, () => {
  test(
    'after a line of the journal: the next run ends where an undisturbed one does, and leaves nothing',
    async () => {
      const shape = small;
      const { lines } = await reference(shape);
      const rounds = moments(lines, 3).map((after) => ({
        name: `after line ${after} of ${lines}`,
        async play() {
          const published = await shape.fresh();
          await killEngine(published.made, { after });
          await gone(published.made);
          await converges(shape, published);
        },
      }));
      expect(await play(rounds)).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    'at a random moment, and the next run too: the one after ends where an undisturbed one does',
    async () => {
      const shape = ALL ? rich : small;
      const { lines } = await reference(shape);
      const rounds = Array.from({ length: ALL ? 60 : 2 }, (_, index) => {
        const env = index % 3 === 1 ? NO_NAMESPACE : {};
        const kills = random('twice', index) < 0.4 ? [0, 1] : [0];
        const at = kills.map((kill) => moment(lines, index, kill));
        const said = at.map(({ after, delay }) => `${delay} ms after line ${after}`).join(', then ');
        return {
          name: `${said} of ${lines}${env === NO_NAMESPACE ? ', without PID namespaces' : ''}`,
          async play() {
            const published = await shape.fresh();
            for (const each of at) await killEngine(published.made, each, env);
            await gone(published.made);
            await converges(shape, published, env);
          },
        };
      });
      expect(await play(rounds)).toEqual([]);
    },
    TIMEOUT,
  );

  test(
    'a tool, or what it runs in, or what started it: what it did is tried again, or done by the next run',
    async () => {
      const shape = ALL ? rich : small;
      await reference(shape);
      const met = new Map<string, number>();
      const rounds = Object.entries(PARTS).flatMap(([tool, parts]) =>
        parts.flatMap((part) =>
          Array.from({ length: ALL ? 4 : 1 }, (_, index) => {
            const turn = 1 + Math.floor(random(tool, index, part) * 3);
            const what = `${part === 'tool' ? '' : `the ${part} of `}${tool}`;
            return {
              name: `${what}, the one started as number ${turn}`,
              async play() {
                const published = await shape.fresh();
                const killed = await killTool(published.made, { tool, part, turn });
                met.set(what, (met.get(what) ?? 0) + (killed ? 1 : 0));
                await converges(shape, published);
              },
            };
          }),
        ),
      );
      expect(await play(rounds)).toEqual([]);
      if (ALL) tell(`killed: ${[...met].map(([what, times]) => `${what} ${times}`).join(', ')}`);
      expect([...met.values()].reduce((sum, times) => sum + times, 0)).toBeGreaterThan(0);
    },
    TIMEOUT,
  );
});
