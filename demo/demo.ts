/**
 * `npm run demo`: the repository's own config.yaml, run for real against a little world on loopback. It ends with exit
 * code 0 only if everything went as it says, and leaves nothing running.
 */
import { writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join, relative } from 'node:path';
import { createConsole, DemoError, type Console } from './console.ts';
import { buildkitLacks } from './world/buildkit.ts';
import { prepare } from './world/prepare.ts';
import { worldEnvironment, worldSettings } from './world/settings.ts';
import { startWorld, worldTools, type WorldAddresses } from './world/world.ts';

const root = join(import.meta.dirname, '..');
const slipway = join(root, 'cli', 'bin', 'slipway');

async function demo(signal: AbortSignal): Promise<void> {
  let env: Readonly<Record<string, string>> = {};
  const console = createConsole({ root, env: () => env, signal });
  console.say(
    'This starts two registries, an Alpine repository, a vulnerability database and a BuildKit on free ports of this',
  );
  console.say(
    'machine, and runs config.yaml against them: sync, build, scan, sign, verify, tag. About 20 seconds, and all is',
  );
  console.say('ended at the end. What is missing is installed first, which takes up to 25 minutes once.');
  const log = (line: string): void => console.say(`  ${line}`);

  console.heading('Tools');
  const left = await leftOut();
  const buildkit = !left.some(({ pattern }) => pattern === DOCKERFILES);
  const finder = await prepare({
    packages: ['bubblewrap', 'busybox-static', ...(buildkit ? ['runc'] : [])],
    tools: [...worldTools({ buildkit }), 'apko', 'trivy', ...(buildkit ? ['buildx'] : [])],
    log,
    signal,
  });
  signal.throwIfAborted();

  console.heading('The little world');
  {
    await using world = await startWorld({ folder: join(root, '.demo'), finder, buildkit, log });
    const { addresses } = world;
    env = worldEnvironment(addresses);
    const settings = join(addresses.folder, 'slipway.config.json');
    await writeFile(settings, JSON.stringify(worldSettings(addresses), null, 2));
    const to = addresses.destination.host;
    log(`hub.slipway.example is ${addresses.source.host}; registry.slipway.example is ${to}`);
    for (const { pattern, why } of left) log(`left out on this machine: ${pattern}, because ${why}`);
    await tour({
      console,
      world: addresses,
      to,
      common: ['--settings', relative(root, settings), '--to', to],
      exclude: left.flatMap(({ pattern }) => ['--exclude', pattern]),
    });
  }
  console.heading('Done: everything went as promised, and nothing is left running');
}

const DOCKERFILES = '*/images/{app,page}:*';

interface LeftOut {
  /** Of entries in config.yaml. */
  readonly pattern: string;
  readonly why: string;
}

/** What this machine cannot build. The other entries need nothing of it. */
async function leftOut(): Promise<readonly LeftOut[]> {
  const lacks = await buildkitLacks();
  const left: LeftOut[] =
    lacks === undefined ? [] : [{ pattern: DOCKERFILES, why: `they need a BuildKit, and ${lacks}` }];
  // Its packages are for x86_64: on another machine they would need an emulator.
  if (process.arch !== 'x64') left.push({ pattern: '*/images/greeter:*', why: 'its packages are built for x86-64' });
  return left;
}

interface Tour {
  readonly console: Console;
  readonly world: WorldAddresses;
  readonly to: string;
  readonly common: readonly string[];
  /** Options that leave out what this machine cannot build. */
  readonly exclude: readonly string[];
}

async function tour(tour: Tour): Promise<void> {
  const { console, world, to } = tour;
  const common = [...tour.common, '--progress', 'quiet'];
  const hello = `${to}/images/hello:latest`;
  const config = ['--config', 'config.yaml', ...common, ...tour.exclude];

  console.heading('The plan: what config.yaml asks for, and what waits for what');
  await console.command(slipway, ['plan', '--config', 'config.yaml', ...tour.common, ...tour.exclude]);

  console.heading('Run everything: copy or build, scan, decide, sign and attest, verify, and only then tag');
  await console.command(slipway, ['run', ...config]);

  console.heading('The same to anybody with the public key');
  const key = world.keys.scratch.publicKey;
  await console.command(world.tools['cosign'] ?? 'cosign', ['verify', '--key', key, '--insecure-ignore-tlog', hello]);

  console.heading('The attested SBOM, read back from the registry');
  await console.command(slipway, ['show', hello, '--sbom', '--scratch', ...common.slice(0, 2)]);

  console.heading('An image with a critical vulnerability that could be fixed: the gate refuses it (exit code 3)');
  await console.command(slipway, ['run', '--config', 'demo/refused.yaml', ...common], { expect: 3 });
  await mustBeAbsent(tour, `${to}/images/leaky:latest`);

  console.heading('Run again: only the entry with `always` is done again');
  const again = await console.command(slipway, ['run', ...config, '--json'], { quiet: true });
  showSecondRun(console, again.stdout);

  console.heading('Verify every destination as a consumer would');
  await console.command(slipway, ['verify', ...config]);
}

async function mustBeAbsent({ console, world }: Tour, reference: string): Promise<void> {
  const crane = world.tools['crane'] ?? 'crane';
  const output = await console.command(crane, ['digest', reference], { expect: 1, quiet: true });
  if (
    !output.stderr.includes('MANIFEST_UNKNOWN') &&
    !output.stderr.includes('NAME_UNKNOWN') &&
    !output.stderr.includes('404')
  ) {
    throw new DemoError(`the registry does not say that ${reference} is absent: ${output.stderr}`);
  }
  console.say('There is no such tag.');
}

interface RunAnswer {
  readonly entries: readonly { readonly destination: string; readonly outcome: string; readonly why: string }[];
  readonly tools: readonly { readonly name: string; readonly started: number }[];
}

function showSecondRun(console: Console, stdout: string): void {
  // The shape is promised by cli/schemas/envelope.schema.json.
  const answer = JSON.parse(stdout) as RunAnswer;
  for (const { destination, outcome, why } of answer.entries) console.say(`  ${destination}: ${outcome} (${why})`);
  const started = answer.tools.map(({ name, started }) => `${name} ${started}`).join(', ');
  console.say(`Tools started: ${started === '' ? 'none' : started}`);
  const changed = answer.entries.filter(({ outcome }) => outcome !== 'unchanged');
  if (changed.length > 0)
    throw new DemoError(`the second run changed ${changed.map(({ destination }) => destination).join(', ')}`);
  const redone = answer.entries.filter(({ why }) => why.includes('always'));
  if (redone.length !== 1) throw new DemoError(`${redone.length} entries were done again; one was expected`);
}

async function main(): Promise<number> {
  const controller = new AbortController();
  let interrupted: 'SIGINT' | 'SIGTERM' | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      interrupted ??= signal;
      controller.abort();
    });
  }
  try {
    await demo(controller.signal);
    return 0;
  } catch (error) {
    if (interrupted !== undefined) {
      process.stderr.write('\nInterrupted: everything that the demo started has ended.\n');
      return 128 + constants.signals[interrupted];
    }
    const message = error instanceof Error ? error.message : String(error);
    process.stderr.write(`\nThe demo failed: ${message}\n`);
    return 1;
  }
}

process.exitCode = await main();
