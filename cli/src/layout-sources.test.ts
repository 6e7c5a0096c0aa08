/** What is said of layouts and archives that do not hold what the config takes from them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { expect, it } from 'vitest';
import { command, folderWith } from '../testing.ts';

const SETTINGS = "trust: [{ match: '*', level: copy }]\n";

it.each<[string, string, string]>([
  ['without a tag, of several', 'oci:./lay', 'check the path and the tag: it has 1, 2'],
  ['by another tag', 'oci-archive:./lay.tar:3', 'check the path and the tag: it has 1, 2'],
  ['where nothing is', 'oci:./nowhere:1', 'check the path: no tag is there'],
  ['compressed', 'oci-archive:./lay.tar.gz:1', 'unpack it with gunzip'],
  ['of docker save', 'oci-archive:./docker.tar:1', 'it is no OCI image layout: of what docker save wrote, skopeo copy'],
])('a source in files is told with what helps: %s', async (_, source, hint) => {
  await using registry = await startScriptedRegistry();
  for (const tag of ['1', '2']) seedImage(registry, 'a', tag, { tag });
  const cwd = folderWith({ 'slipway.config.yaml': SETTINGS });
  const sync = (...entries: readonly (readonly [string, string])[]) => {
    const items = entries.map(([from, to]) => `  - { source: '${from}', destination: '${to}' }\n`);
    writeFileSync(`${cwd}/config.yaml`, `sync:\n${items.join('')}`);
    return command({ cwd }, 'sync');
  };
  const places = ['oci:./lay:1', 'oci:./lay:2', 'oci-archive:./lay.tar:1', 'oci-archive:./lay.tar:2'];
  const gathered = await sync(...places.map((place) => [`${registry.host}/a:${place.at(-1)}`, place] as const));
  expect(gathered.code, gathered.stderr).toBe(0);
  writeFileSync(`${cwd}/lay.tar.gz`, gzipSync(readFileSync(`${cwd}/lay.tar`)));
  // An archive whose files have other names.
  const foreign = readFileSync(`${cwd}/lay.tar`, 'latin1').replaceAll('oci-layout', 'manifest.j');
  writeFileSync(`${cwd}/docker.tar`, fixedSums(Buffer.from(foreign, 'latin1')));
  const taken = await sync([source, `${registry.host}/b:1`]);
  expect(taken.code).toBe(1);
  expect(taken.stdout).toContain(`→ ${hint}`);
  expect(registry.tags('b')).toEqual([]);
});

/** The sums of the headers that name `manifest.j`: https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html */
function fixedSums(archive: Buffer): Buffer {
  for (let at = archive.indexOf('manifest.j\0'); at >= 0; at = archive.indexOf('manifest.j\0', at + 1)) {
    const header = archive.subarray(at, at + 512);
    header.fill(' ', 148, 156);
    header.write(
      `${header
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
      'latin1',
    );
  }
  return archive;
}
