/** One world for all real tests: started before the first, ended after the last. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { catalogue, pinnedNeed } from '@slipway/tools';
import type { TestProject } from 'vitest/node';
import { prepare } from '../demo/world/prepare.ts';
import { startWorld, worldTools, type WorldAddresses } from '../demo/world/world.ts';
import { bundleCommand } from './bundled.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly world: WorldAddresses;
    /** The command that tests run. */
    readonly slipway: string;
  }
}

const WHOLE = { buildkit: true, fulcio: true, referrersRegistry: true };
/** Started by tests and by Slipway, besides those that the world itself is made with. */
const OTHER_TOOLS = [
  'act',
  'actionlint',
  'apko',
  'buildx',
  'conformance',
  'ko',
  'oras',
  'regctl',
  'syft',
  'toxiproxy',
  'trivy',
];

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const log = (line: string): void => void process.stderr.write(`test world: ${line}\n`);
  const controller = new AbortController();
  const finder = await prepare({
    packages: ['bubblewrap', 'busybox-static', 'chromium', 'runc', 'skopeo'],
    tools: [...worldTools(WHOLE), ...OTHER_TOOLS],
    log,
    signal: controller.signal,
  });
  // A folder of its own: several checkouts, and several runs in one, can be tested at once.
  const folder = await mkdtemp(join(tmpdir(), 'slipway-test-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const world = stack.use(await startWorld({ folder, finder, ...WHOLE }));
  const tools: Record<string, string> = { ...world.addresses.tools };
  for (const pin of catalogue.filter(({ name }) => OTHER_TOOLS.includes(name))) {
    const found = await finder.find(pinnedNeed(pin));
    if (found.ok) tools[pin.name] = found.value.path;
  }
  project.provide('world', { ...world.addresses, tools });
  project.provide('slipway', await bundleCommand(join(folder, 'command')));
  const kept = stack.move();
  return () => kept.disposeAsync();
}
