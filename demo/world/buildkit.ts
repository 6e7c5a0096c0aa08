/** A BuildKit daemon of the world's own, so that Dockerfiles can be built without Docker. It runs as root, with Debian's runc. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Processes } from './processes.ts';

export interface BuildkitOptions {
  readonly processes: Processes;
  readonly buildkitd: string;
  /** Short: the path of a socket has at most 107 bytes. */
  readonly folder: string;
  /** `127.0.0.1:PORT` of registries that it asks by plain HTTP. */
  readonly registries: readonly string[];
}

/** Its endpoint, as `unix:///…/buildkitd.sock`. */
export async function startBuildkit({ processes, buildkitd, folder, registries }: BuildkitOptions): Promise<string> {
  await mkdir(folder, { recursive: true });
  const config = join(folder, 'buildkitd.toml');
  const endpoint = `unix://${join(folder, 'buildkitd.sock')}`;
  await writeFile(config, registries.map((host) => `[registry."${host}"]\nhttp = true\n`).join(''));
  await processes.serve({
    command: buildkitd,
    args: ([port]) => [
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
