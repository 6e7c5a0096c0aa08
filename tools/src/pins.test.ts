import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildArguments, catalogue, modulesFolder, pinOf } from './pins.ts';

const goMod = (name: string): string => readFileSync(join(modulesFolder, name, 'go.mod'), 'utf8');

describe('the catalogue', () => {
  it('names exactly the modules under go/', () => {
    const folders = readdirSync(modulesFolder).toSorted();
    expect(catalogue.map((pin) => pin.name).toSorted()).toEqual(folders);
  });

  it.each(catalogue)('$name has the version of its go.mod', ({ name, module, version, package: target }) => {
    const lines = goMod(name).split('\n');
    if (target === '.') {
      expect(lines).toContain(`module ${module}`);
      return;
    }
    expect(lines).toContain(`tool ${target}`);
    const required = lines
      .map((line) => line.trim().replace(/^require /, ''))
      .filter((line) => line.startsWith(`${module} v`));
    expect(required.map((line) => line.split(' ', 2)[1])).toEqual([`v${version}`]);
  });

  // What needs nothing but Go's own library has no checksums.
  const needy = catalogue.filter(({ name }) => goMod(name).includes('require'));
  it.each(needy)('$name has checksums for what it needs', ({ name, module, version, package: target }) => {
    const sums = readFileSync(join(modulesFolder, name, 'go.sum'), 'utf8');
    if (target !== '.') expect(sums).toContain(`${module} v${version} h1:`);
    expect(sums).toMatch(/ h1:/);
  });

  it('reads versions as the tools print them', () => {
    const read = (name: string, output: string): string | undefined => pinOf(name)?.probe?.pattern.exec(output)?.[1];
    expect(read('crane', '0.22.1\n')).toBe('0.22.1');
    expect(read('cosign', '{\n  "gitVersion": "v3.1.3",\n  "gitCommit": "unknown"\n}\n')).toBe('3.1.3');
    expect(read('trivy', 'Version: 0.74.0\nVulnerability DB:\n  Version: 2\n')).toBe('0.74.0');
    expect(read('syft', 'syft 1.57.0\n')).toBe('1.57.0');
    expect(read('registry', '/usr/bin/registry github.com/distribution/distribution/v3 v3.1.2\n')).toBe('3.1.2');
  });

  it('never lets go change the modules, and embeds the version', () => {
    const pin = pinOf('cosign');
    if (pin === undefined) throw new Error('cosign is not in the catalogue');
    const args = buildArguments(pin, '/out/cosign');
    expect(args).toContain('-mod=readonly');
    expect(args).toContain('-ldflags=-s -w -X sigs.k8s.io/release-utils/version.gitVersion=v3.1.3');
    expect(args.at(-1)).toBe('github.com/sigstore/cosign/v3/cmd/cosign');
  });
});
