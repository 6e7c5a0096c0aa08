/**
 * The published schemas of what goes into a contract and what must come out: JSON Schema, draft 2020-12, strict.
 * They say in data what `Contracts` in contract-api.ts says in types.
 */
import { digestPattern, registryPattern, repositoryPattern, tagPattern } from '../reference.ts';
import { severities } from '../config/settings-model.ts';
import type { JsonSchema } from './api.ts';
import type { ContractName } from './contract-api.ts';
import { count, list, record, text, time } from './schema-parts.ts';

export interface ContractSchema {
  readonly input: JsonSchema;
  readonly output: JsonSchema;
}

const digest: JsonSchema = { type: 'string', pattern: digestPattern };
/** A payload is a few hundred bytes; nothing larger may be signed blindly. */
const base64: JsonSchema = {
  type: 'string',
  pattern: '^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$',
  minLength: 4,
  maxLength: 65536,
};
const absolutePath: JsonSchema = { type: 'string', pattern: '^/' };
const anything: JsonSchema = {};

function tagged(schema: JsonSchema, id: string): JsonSchema {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: id, ...schema };
}

/** As core/src/reference.ts parses them: nothing else may reach a tool's arguments or a URL. */
const registry: JsonSchema = { type: 'string', pattern: registryPattern, maxLength: 260 };
const repository: JsonSchema = { type: 'string', pattern: repositoryPattern, maxLength: 1024 };
const tag: JsonSchema = { type: 'string', pattern: tagPattern };
const pinned = record({ kind: { const: 'pinned' }, registry, path: repository, digest, 'tag?': tag });
const platform = record({ os: text, architecture: text, 'variant?': text, 'os.version?': text });
const scanInput = record({ subject: pinned, children: list(record({ digest, platform }), 1) });

const finding = record({
  id: text,
  severity: { enum: severities },
  'purl?': text,
  package: text,
  installed: { type: 'string' },
  'fixed?': text,
  'title?': { type: 'string' },
  platforms: list(text, 1),
  'layer?': text,
});

const platformScan = record({
  digest,
  platform: text,
  status: { enum: ['scanned', 'unscanned'] },
  'why?': text,
  'os?': text,
  'endOfLife?': { const: true },
  packages: count,
  findings: list(finding),
});

const scan = record({
  scanner: record({ name: text, version: text, uri: text }),
  'database?': time,
  startedAt: time,
  finishedAt: time,
  platforms: list(platformScan, 1),
});

/** https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md */
const statement = record({
  _type: { const: 'https://in-toto.io/Statement/v1' },
  subject: {
    type: 'array',
    minItems: 1,
    maxItems: 1,
    items: record({ 'name?': text, digest: { type: 'object', minProperties: 1, additionalProperties: text } }),
  },
  predicateType: text,
  predicate: anything,
});

const matcher: JsonSchema = { oneOf: [record({ exact: text }), record({ pattern: text })] };
const identity = record({ kind: { const: 'identity' }, issuer: matcher, subject: matcher });
const accept: JsonSchema = {
  oneOf: [
    record({ kind: { const: 'key' }, publicKey: text, fingerprint: { type: 'string', pattern: '^[0-9a-f]{64}$' } }),
    identity,
  ],
};
const signing = record({ 'key?': text, 'signingConfig?': text, 'trustedRoot?': text, 'identityTokenEnv?': text });

const signer = record({ keyless: { type: 'boolean' }, secrets: list(text), 'identities?': list(identity) });
const plannedEntry: JsonSchema = {
  type: 'object',
  required: ['id', 'kind', 'source', 'destination', 'targets', 'at', 'needs', 'trust'],
  properties: { id: text, kind: { enum: ['sync', 'build'] }, destination: text, needs: list(text) },
};
const emitContext = record({
  main: text,
  config: text,
  'settings?': text,
  together: { type: 'boolean' },
  production: signer,
  'scratch?': signer,
  secrets: list(text),
  logins: list(text),
});
/** Below the folder that they are for, whatever a plugin says. */
const relativeFile: JsonSchema = {
  type: 'string',
  pattern: '^(?!.*(?:^|/)\\.{1,2}(?:/|$))[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*$',
  maxLength: 200,
};

const schemas: { readonly [N in ContractName]: ContractSchema } = {
  'image.copy@1': {
    input: record({ sources: list(pinned, 1), destination: pinned, 'foreignLayers?': { const: true } }),
    output: record({ digest }),
  },
  'package.build@1': {
    input: record({ config: text, architectures: list(text, 1), repositories: list(absolutePath) }),
    output: record({ repository: absolutePath, packages: list(text) }),
  },
  'image.scan@1': { input: scanInput, output: scan },
  'sbom.make@1': {
    input: scanInput,
    output: record({ documents: list(record({ digest, spdx: { type: 'object' } })) }),
  },
  'statement.sign@1': { input: record({ statement, signing }), output: record({ bundle: text }) },
  'bundle.verify@1': {
    input: record({ bundle: text, accept, 'trustedRoot?': text }),
    output: record({ statement, signer: text }),
  },
  'payload.sign@1': {
    input: record({ payload: base64, signing }),
    output: record({ signature: base64, 'certificate?': text, 'chain?': text, 'bundle?': text }),
  },
  'payload.verify@1': {
    input: record({ payload: base64, bundle: text, accept, 'trustedRoot?': text }),
    output: record({ signer: text }),
  },
  'tags.list@1': {
    input: record({
      repository: record({ registry, path: repository }),
      tags: list(tag),
      requests: { type: 'integer', minimum: 1 },
    }),
    output: record({
      tags: { type: 'object', propertyNames: tag, additionalProperties: digest, maxProperties: 100_000 },
      complete: { type: 'boolean' },
    }),
  },
  'image.verify@1': {
    input: record({ image: pinned, accept: list(accept, 1), 'trustedRoot?': text }),
    output: record({ signer: text, 'issuer?': text, 'signedAt?': time }),
  },
  'plan.emit@1': {
    input: record({
      plan: record({
        entries: list(plannedEntry),
        selections: list({
          type: 'object',
          required: ['id', 'source', 'destination'],
          properties: { id: text, source: text, destination: text },
        }),
        tasks: list({
          type: 'object',
          required: ['id', 'contract', 'entry', 'needs'],
          properties: { id: text, contract: text, needs: list(text) },
        }),
      }),
      context: emitContext,
      split: { type: 'boolean' },
    }),
    output: record({
      files: list(record({ path: relativeFile, content: { type: 'string' } }), 1),
      'warnings?': list(text),
    }),
  },
};

/** By contract name; each with `$schema` and a title, ready to be published. */
export const contractSchemas: { readonly [N in ContractName]: ContractSchema } = {
  'image.copy@1': published('image.copy@1'),
  'package.build@1': published('package.build@1'),
  'image.scan@1': published('image.scan@1'),
  'sbom.make@1': published('sbom.make@1'),
  'statement.sign@1': published('statement.sign@1'),
  'bundle.verify@1': published('bundle.verify@1'),
  'payload.sign@1': published('payload.sign@1'),
  'payload.verify@1': published('payload.verify@1'),
  'tags.list@1': published('tags.list@1'),
  'image.verify@1': published('image.verify@1'),
  'plan.emit@1': published('plan.emit@1'),
};

function published(name: ContractName): ContractSchema {
  return {
    input: tagged(schemas[name].input, `${name} input`),
    output: tagged(schemas[name].output, `${name} output`),
  };
}

export const contractNames: readonly ContractName[] = Object.keys(contractSchemas) as ContractName[];

/** Contracts with an owner for each part: what a key names after them. */
const parted: Readonly<Partial<Record<ContractName, (part: string) => boolean>>> = {
  // A registry's host.
  'tags.list@1': (part) => new RegExp(registryPattern).test(part) && part === part.toLowerCase(),
  // A format.
  'plan.emit@1': (part) => /^[a-z][a-z0-9-]{0,31}$/.test(part),
};

/** What a plugin may implement: a contract, or a part of one that has an owner for each. */
export function isContractKey(key: string): boolean {
  const contract = contractOf(key);
  const isPart = parted[contract as ContractName];
  if (isPart === undefined) return Object.hasOwn(contractSchemas, key);
  return key !== contract && isPart(key.slice(contract.length + 1));
}

/** `tags.list@1/docker.io` → `tags.list@1`. */
export function contractOf(key: string): string {
  return Object.keys(parted).find((contract) => key.startsWith(`${contract}/`)) ?? key;
}

const names = list(text);

/** What a mode's `inputs` must answer. */
export const modeInputsSchema: JsonSchema = record({
  files: names,
  packageIndexes: names,
  bases: list(
    record({
      text,
      reference: {
        type: 'object',
        required: ['kind', 'registry', 'path'],
        properties: { kind: { enum: ['tagged', 'pinned'] }, registry, path: repository },
      },
    }),
  ),
  platforms: list(platform),
  packages: names,
  options: { type: 'object' },
  'maxAge?': { type: 'number', exclusiveMinimum: 0 },
});

/** What a mode's `resolve` must answer: package → version. */
export const resolvedSchema: JsonSchema = { type: 'object', additionalProperties: { type: 'string' } };

/** What a mode's `build` must answer. */
export const builtSchema: JsonSchema = record({
  layout: absolutePath,
  'sboms?': list(record({ digest, spdx: { type: 'object' } })),
  'materials?': list(record({ uri: text, 'digest?': { type: 'object', additionalProperties: text }, 'name?': text })),
});
