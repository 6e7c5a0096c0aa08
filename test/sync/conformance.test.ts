/**
 * The registry that fast tests trust is tried with the OCI's own suite for registries, so that it is worth that trust: with
 * what the coming version of the specification adds, too.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { startScriptedRegistry, type ScriptedOptions } from '../../core/src/testing/index.ts';
import { freshFolder, tool } from '../world.ts';

interface Case {
  readonly options: ScriptedOptions;
  /** Of the suite: https://github.com/opencontainers/distribution-spec/blob/main/conformance/README.md */
  readonly env: Readonly<Record<string, string>>;
  /** What the suite is told to leave out, since this registry refuses it on purpose. */
  readonly disabled: readonly string[];
}

const cases: Readonly<Record<string, Case>> = {
  'with all that it has': {
    options: { referrersApi: true, sparse: true, pageSize: 7 },
    env: { OCI_DATA_SPARSE: 'true' },
    disabled: [],
  },
  'as the CNCF registry is: no referrers API, no manifest without its parts': {
    options: { tagParameter: false },
    env: { OCI_API_REFERRER: 'false', OCI_API_MANIFESTS_TAG_PARAM: 'false' },
    disabled: ['Manifest put with tag params', 'Referrers', 'Sparse Manifests', 'Tag Param', 'Tag Param sha512'],
  },
  'behind a token server': {
    options: { referrersApi: true, tokens: { users: { ann: 'p' }, anonymous: false } },
    env: { OCI_USERNAME: 'ann', OCI_PASSWORD: 'p' },
    disabled: ['Sparse Manifests'],
  },
};

describe('the scripted registry conforms', () => {
  test.each(Object.entries(cases))('%s', async (_, { options, env, disabled }) => {
    const registry = await startScriptedRegistry(options);
    onTestFinished(() => registry.close());
    const folder = await freshFolder();
    const { code, stdout } = await tool('conformance', [], {
      cwd: folder,
      env: { OCI_VERSION: 'dev', OCI_REGISTRY: registry.host, OCI_TLS: 'disabled', OCI_RESULTS_DIR: folder, ...env },
    });
    const problems = stdout.split('\n').filter((line) => /: (?:FAIL|Error|Skip)$|^\s+- /.test(line));
    expect(problems, stdout.slice(0, 4000)).toEqual([]);
    expect(code).toBe(0);
    const results = parse(await readFile(join(folder, 'results.yaml'), 'utf8')) as {
      readonly apis: Readonly<Record<string, string>>;
      readonly data: Readonly<Record<string, string>>;
    };
    const all = Object.entries({ ...results.apis, ...results.data });
    expect(all.length).toBeGreaterThan(45);
    expect(all.flatMap(([name, result]) => (result === 'Pass' ? [] : [name])).sort()).toEqual(disabled);
  });
});
