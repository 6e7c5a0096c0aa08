/** What a tool writes to a file: one that ended well may have written nothing all the same, or something else. */
import { readFile, stat } from 'node:fs/promises';
import { errorCode, fail, ok, type Result, type ToolFailure } from '../failure.ts';

/** Bytes. The largest are lists of packages, which can be signed and attached up to a quarter of that. */
const MAX_OUTPUT = 256 * 1024 * 1024;

/** `parse` may throw. */
export async function readToolOutput<T>(
  tool: string,
  file: string,
  parse: (text: string) => T,
): Promise<Result<T, ToolFailure>> {
  let text: string;
  try {
    const status = await stat(file);
    if (!status.isFile()) return fail(senseless(tool, 'ended well, but what it wrote is not a file'));
    if (status.size > MAX_OUTPUT) {
      return fail(senseless(tool, `ended well, but wrote more than ${MAX_OUTPUT / 1024 / 1024} MiB`));
    }
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') {
      return fail(senseless(tool, 'ended well, but wrote no result'));
    }
    throw error;
  }
  try {
    return ok(parse(text));
  } catch {
    return fail(senseless(tool, 'ended well, but what it wrote cannot be read'));
  }
}

function senseless(tool: string, what: string): ToolFailure {
  return {
    reason: 'tool',
    class: 'permanent',
    tool,
    message: `${tool} ${what}`,
    hint: `see whether this is the right ${tool}: slipway doctor shows which tools are found where`,
  };
}
