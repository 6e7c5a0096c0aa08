/** One world for all real tests: started before the first, ended after the last. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { prepare } from '../demo/world/prepare.ts';
import { startWorld, type WorldAddresses } from '../demo/world/world.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly world: WorldAddresses;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const log = (line: string): void => void process.stderr.write(`test world: ${line}\n`);
  const controller = new AbortController();
  const finder = await prepare({ packages: ['busybox-static', 'skopeo'], log, signal: controller.signal });
  // A folder of its own: several checkouts, and several runs in one, can be tested at once.
  const folder = await mkdtemp(join(tmpdir(), 'slipway-test-'));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const world = stack.use(await startWorld({ folder, finder, fulcio: true, referrersRegistry: true }));
  const tools: Record<string, string> = { ...world.addresses.tools };
  for (const name of ['apko', 'trivy']) {
    const found = await finder.find({ name, range: '*' });
    if (found.ok) tools[name] = found.value.path;
  }
  project.provide('world', { ...world.addresses, tools });
  const kept = stack.move();
  return () => kept.disposeAsync();
}
