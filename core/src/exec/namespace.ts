/**
 * A PID namespace for each tool, where this machine allows it: whatever the tool started ends with it in the kernel, also
 * when Slipway itself is killed with SIGKILL, which no process group and no handler can promise.
 */
import { execFile } from 'node:child_process';
import { readlinkSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { findProgram } from './program.ts';

export interface PidNamespace {
  /** The command that runs `path` in a namespace of its own. */
  wrap(path: string, args: readonly string[]): { readonly path: string; readonly args: readonly string[] };
  /** Whether a process is the wrapper's own. It must not get a SIGTERM: its end is a SIGKILL for everything inside. */
  isWrapper(pid: number): boolean;
}

/** Set to `off`, tools run in process groups alone. */
const SWITCH = 'SLIPWAY_PID_NAMESPACE';
/** Milliseconds until a wrapper that does not even run itself counts as one that does not work. */
const PATIENCE = 5_000;

/**
 * The first that works here. Everything else stays as it is: the same files, devices, network and user. A `/proc` of its own
 * comes first, so that tools that look at `/proc/<pid>` see themselves; a container that masks parts of `/proc` forbids that.
 * https://github.com/containers/bubblewrap
 */
const BASE = ['--die-with-parent', '--unshare-pid', '--dev-bind', '/', '/'];
const VARIANTS: readonly (readonly string[])[] = [[...BASE, '--proc', '/proc'], BASE];

let known: Promise<PidNamespace | undefined> | undefined;

/** Decided once a process, by trying. Undefined: there is none here, or it is switched off. */
export function pidNamespace(env: Readonly<Record<string, string | undefined>>): Promise<PidNamespace | undefined> {
  if (env[SWITCH] === 'off') return Promise.resolve(undefined);
  known ??= findNamespace(env['PATH']);
  return known;
}

async function findNamespace(searchPath: string | undefined): Promise<PidNamespace | undefined> {
  const found = process.platform === 'linux' ? findProgram('bwrap', searchPath) : undefined;
  if (found === undefined) return undefined;
  const bwrap = await realpath(found);
  for (const flags of VARIANTS) {
    if (await works(bwrap, flags)) return namespaceOf(bwrap, flags);
  }
  return undefined;
}

function namespaceOf(bwrap: string, flags: readonly string[]): PidNamespace {
  return {
    wrap: (path, args) => ({ path: bwrap, args: [...flags, '--', path, ...args] }),
    isWrapper(pid) {
      try {
        return readlinkSync(`/proc/${pid}/exe`) === bwrap;
      } catch {
        return false;
      }
    },
  };
}

/** Runs the wrapper in itself: whether it may is a matter of the kernel, of its settings, and of the container around us. */
function works(bwrap: string, flags: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(bwrap, [...flags, '--', bwrap, '--version'], { timeout: PATIENCE, env: {} }, (error) =>
      resolve(error === null),
    );
  });
}
