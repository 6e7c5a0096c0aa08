import type { TaskContext } from '@slipway/core';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Nothing in the working directory may hide a finding: no config file, no ignore file. Time limits are the core's. */
export async function neutral(context: TaskContext): Promise<readonly string[]> {
  const empty = join(context.files.work, 'empty');
  await writeFile(empty, '');
  return ['--config', empty, '--ignorefile', empty, '--timeout', '24h'];
}
