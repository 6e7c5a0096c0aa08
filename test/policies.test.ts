/** The exported policies against the schemas that Kyverno and policy-controller publish, taken from their pinned modules. */
import { Ajv } from 'ajv';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { worldSettings } from '../demo/world/settings.ts';
import { project } from './chain/project.ts';
import { root, slipway, world } from './world.ts';

type Schema = Record<string, unknown>;

interface Definition {
  readonly spec: {
    readonly versions: readonly { readonly name: string; readonly schema: { readonly openAPIV3Schema: Schema } }[];
  };
}

/** The folder of a module that test/schemas/go.mod pins; its bytes are checked against go.sum. */
async function moduleFolder(path: string): Promise<string> {
  const cwd = join(root, 'test', 'schemas');
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/local/go/bin` };
  const version = new RegExp(`${path} (v\\S+)`).exec(await readFile(join(cwd, 'go.mod'), 'utf8'))?.[1] ?? '';
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', `${path}@${version}`], { cwd, env });
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
}

/** A Kubernetes API server drops fields that the schema does not have: here they are errors. */
function closed(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const inner = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, closed(value)])) as Schema;
  const open = inner['x-kubernetes-preserve-unknown-fields'] === true || inner['additionalProperties'] !== undefined;
  return inner['type'] === 'object' && inner['properties'] !== undefined && !open
    ? { ...inner, additionalProperties: false }
    : inner;
}

async function problemsOf(document: unknown, module: string, file: string): Promise<readonly unknown[]> {
  const definition = parse(await readFile(join(await moduleFolder(module), file), 'utf8')) as Definition;
  const { apiVersion = '' } = document as { readonly apiVersion?: string };
  const version = definition.spec.versions.find(({ name }) => apiVersion.endsWith(`/${name}`));
  if (version === undefined) throw new Error(`${file} has no ${apiVersion}`);
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  // Every object of an API server has these three, whether its schema says so or not.
  const { properties, ...schema } = version.schema.openAPIV3Schema;
  const common = { apiVersion: { type: 'string' }, kind: { type: 'string' }, metadata: { type: 'object' } };
  const validate = ajv.compile(closed({ ...schema, properties: { ...common, ...(properties as Schema) } }) as Schema);
  return validate(document) ? [] : (validate.errors ?? []);
}

const KYVERNO = ['github.com/kyverno/kyverno', 'config/crds/kyverno/kyverno.io_clusterpolicies.yaml'] as const;
const CONTROLLER = ['github.com/sigstore/policy-controller', 'config/300-clusterimagepolicy.yaml'] as const;

async function exportOf(kind: string, signing: Readonly<Record<string, unknown>>) {
  const entry = {
    source: 'hub.slipway.example/library/alpine:3.20',
    destination: 'registry.slipway.example/images/alpine:3.20',
  };
  const one = await project({ sync: [entry], settings: { signing } });
  return slipway(['policy', 'export', kind], { cwd: one.folder });
}

const byKey = (format: string) => ({ ...(worldSettings(world())['signing'] as object), format });
const byIdentity = (format: string) => ({
  format,
  keyless: { issuer: 'https://token.actions.githubusercontent.com', subjectPattern: 'https://github\\.com/example/.*' },
});

describe.each(['bundle', 'both', 'legacy'])('what is exported for signing.format: %s', (format) => {
  it('is what Kyverno takes', async () => {
    for (const signing of [byKey(format), byIdentity(format)]) {
      const { code, stdout, stderr } = await exportOf('kyverno', signing);
      expect(code, stderr).toBe(0);
      expect(await problemsOf(parse(stdout), ...KYVERNO)).toEqual([]);
    }
  });

  it('is what policy-controller takes, or is refused', async () => {
    for (const signing of [byKey(format), byIdentity(format)]) {
      const { code, stdout, stderr } = await exportOf('policy-controller', signing);
      if (format === 'bundle' && 'key' in signing) {
        expect(code).toBe(2);
        expect(stderr).toContain('cannot verify bundles');
      } else {
        expect(code, stderr).toBe(0);
        expect(await problemsOf(parse(stdout), ...CONTROLLER)).toEqual([]);
      }
    }
  });
});

it('finds a field that the schema does not have', async () => {
  const { stdout } = await exportOf('kyverno', byKey('bundle'));
  const changed = parse(
    stdout.replace('type: SigstoreBundle', 'type: Bundle').replace('required: true', 'needed: true'),
  ) as unknown;
  expect(JSON.stringify(await problemsOf(changed, ...KYVERNO))).toMatch(/needed/);
  expect(JSON.stringify(await problemsOf(changed, ...KYVERNO))).toMatch(/SigstoreBundle/);
});

it('refuses containers for bundles, and gives both of its files as JSON', async () => {
  expect(await exportOf('containers', byKey('bundle'))).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('cannot read Sigstore bundles'),
  });
  const { code, stdout } = await exportOf('containers', byKey('legacy'));
  expect(code).toBe(0);
  expect(stdout).toContain('# /etc/containers/policy.json');
  expect(stdout).toContain('use-sigstore-attachments: true');
});
