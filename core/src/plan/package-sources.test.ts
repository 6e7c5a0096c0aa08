import { expect, it } from 'vitest';
import { packageSources } from './package-sources.ts';
import { memoryFiles } from './sample.ts';

it('are the files of the folder without the configurations of packages and images', async () => {
  const files = memoryFiles({
    'p/lib.yaml': 'package: {name: lib, version: 1}',
    'p/app.yml': 'package:\n  name: app\n',
    'p/image.yaml': 'contents: {packages: [app]}',
    'p/defaults.yaml': 'package: text\ncontents: [a]\n',
    'p/broken.yaml': '[[[',
    'p/deep.yaml': '['.repeat(100_000),
    'p/src/main.c': 'int main(void) {}',
    'q/other.c': '',
  });
  expect(await packageSources(files, './p/lib.yaml')).toEqual({
    ok: true,
    value: ['p/broken.yaml', 'p/deep.yaml', 'p/defaults.yaml', 'p/src/main.c'],
  });
});
