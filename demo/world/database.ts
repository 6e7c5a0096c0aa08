/** The vulnerability database: made from a few advisories, and published as Trivy's own is. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipStored, tar } from './archive.ts';
import { artifactLayout } from './image.ts';
import { pushLayout } from './images.ts';
import type { Runner } from './processes.ts';

const RELEASE = 'alpine 3.20';

/** Every advisory of the world. A missing `fixed` means that no fixed version is known. */
export const advisories = [
  {
    id: 'CVE-2026-10001',
    release: RELEASE,
    package: 'leaky',
    severity: 'CRITICAL',
    title: 'leaky leaks',
    fixed: '1.0.1-r0',
  },
  { id: 'CVE-2026-10002', release: RELEASE, package: 'hello', severity: 'HIGH', title: 'hello greets strangers' },
  { id: 'CVE-2026-10003', release: RELEASE, package: 'musl', severity: 'LOW', title: 'musl hums', fixed: '1.2.5-r1' },
] as const;

export interface DatabaseOptions {
  readonly folder: string;
  readonly vulndb: string;
  readonly crane: string;
  /** `127.0.0.1:PORT` of the registry that gets it. */
  readonly host: string;
  readonly run: Runner;
}

/** Answers with what Trivy's `--db-repository` takes. */
export async function publishDatabase(options: DatabaseOptions): Promise<string> {
  const { folder, host, run } = options;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const list = join(folder, 'advisories.json');
  const made = join(folder, 'db');
  await writeFile(list, JSON.stringify(advisories));
  await run(options.vulndb, [list, made]);
  const members = await Promise.all(
    ['trivy.db', 'metadata.json'].map(async (path) => ({
      type: 'file' as const,
      path,
      content: await readFile(join(made, path)),
    })),
  );
  const layer = gzipStored(tar(members, { mtime: 0 }));
  const types = 'application/vnd.aquasec.trivy';
  const layout = artifactLayout(`${types}.config.v1+json`, `${types}.db.layer.v1.tar+gzip`, layer, 'db.tar.gz');
  const repository = `${host}/aquasec/trivy-db:2`;
  await pushLayout(layout, repository, options.crane, run);
  return repository;
}
