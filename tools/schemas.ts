/** `npm run schemas`: writes the committed JSON Schemas, each as `slipway schema` prints it. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { child, root } from './child.ts';

/** The first three are for editors, beside the documents; the others are published with the command. */
const files = {
  config: 'docs/config.schema.json',
  settings: 'docs/settings.schema.json',
  lock: 'docs/lock.schema.json',
  envelope: 'cli/schemas/envelope.schema.json',
  events: 'cli/schemas/events.schema.json',
  report: 'cli/schemas/report.schema.json',
} as const;

const slipway = join(root, 'cli', 'bin', 'slipway');
for (const [of, file] of Object.entries(files)) {
  const { ok, stdout, stderr } = await child(slipway, ['schema', '--of', of], { output: 'keep' });
  if (!ok) {
    console.error(stderr.trimEnd());
    process.exit(1);
  }
  await writeFile(join(root, file), stdout);
  console.log(file);
}
