import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { builtPath, cachedTool, cacheFolder, sourceKey } from './cache.ts';
import { freshFolder, tiny, tinyModule } from '../testing.ts';

it('takes the cache folder from the environment, absolute ones only', () => {
  expect(cacheFolder({ SLIPWAY_TOOLS: '/t', XDG_CACHE_HOME: '/x', HOME: '/h' })).toBe('/t');
  expect(cacheFolder({ SLIPWAY_TOOLS: 't', XDG_CACHE_HOME: '/x', HOME: '/h' })).toBe('/x/slipway/tools');
  expect(cacheFolder({ XDG_CACHE_HOME: 'x', HOME: '/h' })).toBe('/h/.cache/slipway/tools');
  expect(cacheFolder({ SLIPWAY_TOOLS: '', XDG_CACHE_HOME: 'x', HOME: 'h' })).toBeUndefined();
});

it('changes the key with everything that decides what is built, and with nothing else', async () => {
  const modules = freshFolder();
  tinyModule(modules);
  const place = { modules, system: 'linux/x64' };
  const key = await sourceKey(tiny, place);
  writeFileSync(join(modules, 'tiny', 'README.md'), 'not compiled');
  expect(await sourceKey(tiny, place)).toBe(key);

  expect(await sourceKey(tiny, { ...place, system: 'linux/arm64' })).not.toBe(key);
  expect(await sourceKey({ ...tiny, goExperiment: 'jsonv2' }, place)).not.toBe(key);
  expect(await sourceKey({ ...tiny, versionVariable: 'main.version' }, place)).not.toBe(key);
  for (const name of ['main.go', 'more.go', 'go.sum', 'go.mod']) {
    const before = await sourceKey(tiny, place);
    writeFileSync(join(modules, 'tiny', name), `// ${name}`);
    expect(await sourceKey(tiny, place), name).not.toBe(before);
  }
});

it('finds the build by the newest Go, and only a whole one', async () => {
  const [modules, cache] = [freshFolder(), freshFolder()];
  tinyModule(modules);
  expect(await cachedTool(cache, tiny, { modules })).toBeUndefined();
  const paths = await Promise.all(['1.26.9', '1.26.10', '1.27.0'].map((go) => builtPath(cache, tiny, go, { modules })));
  for (const path of paths) mkdirSync(dirname(path), { recursive: true });
  for (const path of paths.slice(0, 2)) writeFileSync(path, '');
  expect(await cachedTool(cache, tiny, { modules })).toBe(paths[1]);
  tinyModule(modules, 'package main\n\nfunc main() { println("changed") }\n');
  expect(await cachedTool(cache, tiny, { modules })).toBeUndefined();
});
