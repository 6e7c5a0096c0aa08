/** Validators of the schemas that every command compiles, as code: made when the command is bundled. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { runProgram } from '../cli/src/program.ts';
import { compile, compilerFor, manners, quickManner, validatorKey, type Manner } from '../core/src/config/compile.ts';
import type { JsonSchema } from '../core/src/plugin/api.ts';
import { contractSchemas } from '../core/src/plugin/schemas.ts';

const standaloneCode = createRequire(import.meta.url)('ajv/dist/standalone') as (
  ajv: Ajv2020,
  validate: unknown,
) => string;

interface Compiled {
  readonly manner: Manner;
  readonly schema: JsonSchema;
}

/** Module name → its code; `index` exports what core/src/config/ajv.ts does. */
export async function validatorModules(): Promise<ReadonlyMap<string, string>> {
  const modules = new Map<string, string>();
  const compiled = await whatPlanCompiles();
  for (const [number, { manner, schema }] of compiled.entries()) {
    const ajv = new Ajv2020({ ...quickManner(manner), code: { source: true, esm: true } });
    modules.set(`validator-${number}`, standaloneCode(ajv, ajv.compile(schema)));
  }
  const imports = compiled.map((_, number) => `import validate${number} from 'validator-${number}';\n`);
  // Evaluated only when it is called, as an import would not be.
  const loadAjv = "export const loadAjv = () => require('ajv/dist/2020.js').Ajv2020;\n";
  const pairs = compiled.map(
    ({ manner, schema }, number) => `[${JSON.stringify(validatorKey(manner, schema))}, validate${number}]`,
  );
  return modules.set(
    'index',
    `${imports.join('')}${loadAjv}export const precompiled = new Map([${pairs.join(', ')}]);\n`,
  );
}

/** What `slipway plan` compiles, as every command begins so, and what the contracts need. */
async function whatPlanCompiles(): Promise<readonly Compiled[]> {
  const compiled: Compiled[] = [];
  for (const manner of Object.keys(manners) as Manner[]) {
    const compiler = compilerFor(manner);
    const original = compiler.compile.bind(compiler);
    const recording = (schema: JsonSchema) => {
      compiled.push({ manner, schema });
      return original(schema);
    };
    compiler.compile = recording as typeof compiler.compile;
  }
  const folder = await mkdtemp(join(tmpdir(), 'slipway-bundle-'));
  try {
    await writeFile(
      join(folder, 'config.yaml'),
      'build: [{ source: ./image.yaml, destination: host.example/image:1 }]\n',
    );
    await writeFile(join(folder, 'slipway.config.json'), '{}');
    await writeFile(join(folder, 'image.yaml'), 'contents: { packages: [busybox] }\narchs: [amd64]\n');
    let said = '';
    const write = (text: string): void => void (said += text);
    const io = {
      ...{ cwd: folder, env: {}, stdout: write, stderr: write, terminal: false, color: false },
      ...{ columns: () => 80, rows: () => 24, interrupt: new AbortController().signal },
    };
    if ((await runProgram(io, ['plan'])) !== 0) throw new Error(`nothing can be planned: ${said}`);
  } finally {
    await rm(folder, { recursive: true });
  }
  for (const { input, output } of Object.values(contractSchemas)) {
    compile('answer', input);
    compile('answer', output);
  }
  return compiled;
}
