/** The world's registries. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Processes } from './processes.ts';

export interface RegistryAddress {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Where its storage and its log are. */
  readonly folder: string;
}

/**
 * The CNCF registry with its storage in a folder. It has no referrers API, as ghcr.io has none. With `accessLog` the file `log`
 * has a line for each request.
 */
export async function startRegistry(
  processes: Processes,
  binary: string,
  folder: string,
  { accessLog = false } = {},
): Promise<RegistryAddress> {
  await mkdir(join(folder, 'storage'), { recursive: true });
  const config = {
    version: '0.1',
    log: { level: 'error', accesslog: { disabled: !accessLog } },
    storage: { filesystem: { rootdirectory: join(folder, 'storage') }, delete: { enabled: true } },
    // Images with layers that are published elsewhere are refused unless their addresses are allowed.
    validation: { manifests: { urls: { allow: ['^https://store\\.slipway\\.example/'] } } },
    // The port is given by the environment, because a busy one is tried again with another.
    http: { addr: '127.0.0.1:0' },
  };
  // JSON is YAML too.
  const file = join(folder, 'config.yml');
  await writeFile(file, JSON.stringify(config));
  const [port] = await processes.serve({
    command: 'env',
    args: ([free]) => [`REGISTRY_HTTP_ADDR=127.0.0.1:${free}`, 'OTEL_TRACES_EXPORTER=none', binary, 'serve', file],
    ports: 1,
    ready: ([free]) => `http://127.0.0.1:${free}/v2/`,
    logFile: join(folder, 'log'),
  });
  return { host: `127.0.0.1:${port}`, folder };
}

/** A registry in memory that has the referrers API. */
export async function startReferrersRegistry(
  processes: Processes,
  binary: string,
  folder: string,
): Promise<RegistryAddress> {
  await mkdir(folder, { recursive: true });
  const [port] = await processes.serve({
    command: binary,
    args: ([free]) => ['-listen', `127.0.0.1:${free}`],
    ports: 1,
    ready: ([free]) => `http://127.0.0.1:${free}/v2/`,
    logFile: join(folder, 'log'),
  });
  return { host: `127.0.0.1:${port}`, folder };
}
