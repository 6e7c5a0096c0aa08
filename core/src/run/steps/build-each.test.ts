/** A call for each platform: the folders of those that came to nothing are given back at once, as a build may be tried again. */
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fail, ok } from '../../failure.ts';
import { formatPlatform } from '../../oci/model.ts';
import { writeImageLayout } from '../../oci/write-layout.ts';
import type { Mode } from '../../plugin/api.ts';
import type { StepContext } from '../engine.ts';
import { buildEach, type BuildRequest } from './build-each.ts';

const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));

/** The platforms whose folders are still there after the build of all. */
async function build(broken: readonly string[]) {
  const folders = new Map<string, string>();
  const engine = {
    settings: { limits: { cpu: 1 } },
    context: async (_task: unknown, _contract: unknown, _signal: unknown, part: string) => {
      const work = mkdtempSync(join(tmpdir(), 'slipway-each-'));
      folders.set(part, work);
      const dispose = async (): Promise<void> => {
        folders.delete(part);
        await rm(work, { recursive: true });
      };
      return { files: { work }, [Symbol.asyncDispose]: dispose };
    },
  };
  const mode = {
    name: 'test',
    async build({ files, platforms: [platform = { os: '', architecture: '' }] }) {
      if (broken.includes(formatPlatform(platform)))
        return fail({ reason: 'config', class: 'permanent', message: 'broken' });
      const layout = join(files.work, 'layout');
      const written = await writeImageLayout(layout, [{ platform, layers: [[]], settings: {} }]);
      return written.ok ? ok({ layout }) : written;
    },
  } satisfies Partial<Mode>;
  const made = await buildEach({
    step: { engine, signal: new AbortController().signal } as unknown as StepContext,
    mode: mode as unknown as Mode,
    request: { platforms } as unknown as BuildRequest,
  });
  const left = [...folders.keys()];
  if (made.ok) for (const session of made.value.sessions) await session[Symbol.asyncDispose]();
  return { made, left };
}

it('keeps the folders of what was built', async () => {
  const { made, left } = await build([]);
  expect(made.ok).toBe(true);
  expect(left).toEqual(['linux/amd64', 'linux/arm64']);
});

it.each(platforms.map(formatPlatform))('keeps none when %s fails', async (platform) => {
  const { made, left } = await build([platform]);
  expect(made).toMatchObject({ ok: false, failure: { message: `${platform}: broken` } });
  expect(left).toEqual([]);
});
