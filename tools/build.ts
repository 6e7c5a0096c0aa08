/** `npm run build`: turns the TypeScript of every package into `dist/`, as it is published. */
import { globSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { child, root } from './child.ts';

/** Each after those it imports: a package is compiled against the published types of the others. */
const packages = ['core', 'tools', ...globSync('plugins/*', { cwd: root }).toSorted(), 'cli'];

const configs = join(root, 'node_modules', '.cache', 'slipway', 'build');
await mkdir(configs, { recursive: true });
for (const name of packages) {
  const dist = join(root, name, 'dist');
  await rm(dist, { recursive: true, force: true });
  const config = join(configs, `${name.replace('/', '-')}.json`);
  await writeFile(config, JSON.stringify(configOf(join(root, name, 'src'), dist)));
  const { ok } = await child(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config], {
    output: 'show',
  });
  if (!ok) {
    console.error(`${name} does not compile`);
    process.exit(1);
  }
}

function configOf(source: string, dist: string): unknown {
  return {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      customConditions: [],
      noEmit: false,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      rootDir: source,
      outDir: dist,
    },
    include: [source],
    exclude: [join(source, '**/*.test.ts')],
  };
}
