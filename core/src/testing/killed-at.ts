/** For tests of what is left when a process is killed at the worst moment. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Runs `script`, a module that imports what it needs by absolute paths, in a process of its own, which dies of SIGKILL when it
 * calls `deadly`: a function of node:fs, or, as `promises.rm`, of node:fs/promises. Undefined: it dies where the script ends.
 */
export async function killedAt(deadly: string | undefined, script: string): Promise<void> {
  const name = deadly?.replace(/^promises\./, '');
  const owner = deadly === name ? 'fs' : 'fs.promises';
  const child = `
    import fs from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const die = () => process.kill(process.pid, 'SIGKILL');
    ${name === undefined ? '' : `${owner}['${name}'] = die; syncBuiltinESMExports();`}
    ${script}
    die();`;
  const options = ['--conditions=slipway-source', '--disable-warning=ExperimentalWarning', '--input-type=module'];
  const running = spawn(process.execPath, [...options, '-e', child], { stdio: ['ignore', 'inherit', 'inherit'] });
  const [code, signal] = (await once(running, 'exit')) as [number | null, string | null];
  if (signal !== 'SIGKILL') throw new Error(`the script ended by itself, with ${code}`);
}

/** The text of an expression that imports a module: `const { a } = ${imported(file)};` */
export function imported(file: string): string {
  if (!isAbsolute(file)) throw new Error(`"${file}" is not an absolute path`);
  return `await import(${JSON.stringify(pathToFileURL(file).href)})`;
}
