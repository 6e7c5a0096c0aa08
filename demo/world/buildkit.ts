/** A BuildKit daemon of the world's own, so that Dockerfiles can be built without Docker. It runs as root, with Debian's runc. */
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Processes } from './processes.ts';

export interface BuildkitOptions {
  readonly processes: Processes;
  readonly buildkitd: string;
  readonly folder: string;
  /** `127.0.0.1:PORT` of registries that it asks by plain HTTP. */
  readonly registries: readonly string[];
}

/** Linux takes no longer path for a socket: sun_path of unix(7), without its last zero. */
const LONGEST_SOCKET = 107;

/** Bit of CAP_SYS_ADMIN, which mounting takes: linux/capability.h. */
const SYS_ADMIN = 21n;

/**
 * Why no BuildKit can run here; `undefined` when it can. It mounts what it builds in: that takes root, and more than a
 * container is usually given. (Without root it would need newuidmap and a range of user ids, which an administrator sets up.)
 */
export async function buildkitLacks(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'it runs as root only';
  const status = await readFile('/proc/self/status', 'utf8');
  const capabilities = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
  return (capabilities >> SYS_ADMIN) % 2n === 1n ? undefined : 'this container may not mount anything';
}

/**
 * Namespaces of its own: all processes of its steps end with it, and what it mounts is never seen outside. `unshare` takes no
 * SIGTERM, so should this process die, it is killed.
 */
const CONFINED = ['--pdeathsig', 'KILL', '--', 'unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** Its endpoint, as `unix:///…/buildkitd.sock`. */
export async function startBuildkit({ processes, buildkitd, folder, registries }: BuildkitOptions): Promise<string> {
  await mkdir(folder, { recursive: true });
  const config = join(folder, 'buildkitd.toml');
  const endpoint = `unix://${join(folder, 'buildkitd.sock')}`;
  await writeFile(config, registries.map((host) => `[registry."${host}"]\nhttp = true\n`).join(''));
  await processes.serve({
    command: 'setpriv',
    args: ([port]) => [
      ...[...CONFINED, '--', buildkitd],
      ...['--config', config, '--root', join(folder, 'root'), '--addr', endpoint],
      // Steps use the network as it is, and a containerd of the machine's stays out of it.
      ...['--oci-worker-net', 'host', '--containerd-worker', 'false'],
      ...['--debugaddr', `127.0.0.1:${port}`],
    ],
    ports: 1,
    ready: ([port]) => `http://127.0.0.1:${port}/debug/vars`,
    logFile: join(folder, 'log'),
  });
  return endpoint;
}

/** `wanted`, or a folder for temporary files when the path of a socket in `wanted` would be too long. */
export async function buildkitFolder(wanted: string): Promise<string> {
  const socket = Buffer.byteLength(join(wanted, 'buildkitd.sock'));
  return socket <= LONGEST_SOCKET ? wanted : mkdtemp(join(tmpdir(), 'slipway-buildkit-'));
}
