import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readToolOutput } from './tool-output.ts';

it('takes what a tool wrote, and names the tool where that is of no use, whatever it is', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-output-'));
  try {
    const read = (name: string) => readToolOutput<unknown>('syft', join(folder, name), JSON.parse);
    writeFileSync(join(folder, 'good'), '{"a":1}');
    writeFileSync(join(folder, 'half'), '{"a":');
    writeFileSync(join(folder, 'large'), '');
    // Takes no room on the disk, and would take all memory.
    truncateSync(join(folder, 'large'), 2 ** 40);
    symlinkSync('/dev/zero', join(folder, 'endless'));
    expect(await read('good')).toEqual({ ok: true, value: { a: 1 } });
    const wrong = {
      none: 'wrote no result',
      half: 'what it wrote cannot be read',
      large: 'wrote more than 256 MiB',
      endless: 'what it wrote is not a file',
    };
    for (const [name, why] of Object.entries(wrong)) {
      const message = `syft ended well, but ${why}`;
      expect(await read(name)).toMatchObject({ ok: false, failure: { reason: 'tool', tool: 'syft', message } });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
