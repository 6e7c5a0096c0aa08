/** `npm run build`: turns the TypeScript of every package into `dist/`, as it is published; of the command, into a bundle. */
import { globSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from './bundle.ts';
import { child, root } from './child.ts';

/** Each after those it imports: a package is compiled against the published types of the others. */
const packages = ['core', 'tools', ...globSync('{plugins,examples}/*/', { cwd: root }).toSorted(), 'cli'];
/** Nobody imports it: it is only checked here. */
const bundled = 'cli';

const configs = join(root, 'node_modules', '.cache', 'slipway', 'build');
await mkdir(configs, { recursive: true });
for (const name of packages) {
  const dist = join(root, name, 'dist');
  await rm(dist, { recursive: true, force: true });
  const config = join(configs, `${name.replace('/', '-')}.json`);
  await writeFile(config, JSON.stringify(await configOf(join(root, name), name === bundled ? undefined : dist)));
  const { ok } = await child(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', config], {
    output: 'show',
  });
  if (!ok) {
    console.error(`${name} does not compile`);
    process.exit(1);
  }
}
await bundle(join(root, bundled, 'src'), join(root, bundled, 'dist'));

/** Only what the package's entry points reach is published: no test, and nothing that only tests import. */
async function configOf(folder: string, dist: string | undefined): Promise<unknown> {
  return {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      customConditions: [],
      ...(dist === undefined ? {} : { noEmit: false, declaration: true, outDir: dist }),
      rewriteRelativeImportExtensions: true,
      rootDir: join(folder, 'src'),
    },
    files: await entryPoints(folder),
    // The core's are for packages that bring no types of their own, and others use some of those too.
    include: [join(folder, 'src', '**', '*.d.ts'), join(root, 'core', 'src', '**', '*.d.ts')],
    exclude: [],
  };
}

interface Manifest {
  readonly bin?: unknown;
  readonly exports: Readonly<Record<string, string | { readonly 'slipway-source'?: string }>>;
}

/** The sources of what may be imported, and of the command. */
async function entryPoints(folder: string): Promise<readonly string[]> {
  const { bin, exports } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
  const sources = Object.values(exports).flatMap((target) =>
    typeof target === 'object' && target['slipway-source'] !== undefined ? [target['slipway-source']] : [],
  );
  return [...sources, ...(bin === undefined ? [] : ['./src/main.ts'])].map((path) => join(folder, path));
}
