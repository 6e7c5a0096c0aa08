/** What the settings may say about Dockerfiles. */
import { parseDuration, type JsonSchema } from '@slipway/core';
import { cachePattern, type CacheOptions } from './caches.ts';

/** Where a secret comes from: a variable of our environment, or a file, relative to the config's folder unless absolute. */
export type SecretSource = { readonly env: string } | { readonly file: string };

export interface DockerOptions extends CacheOptions {
  /** The name of a builder that buildx knows; its current one when there is neither this nor an endpoint. */
  readonly builder?: string;
  /** Where a buildkitd listens, as `unix:///run/buildkit/buildkitd.sock`. */
  readonly endpoint?: string;
  /** By platform, as `linux/arm64`: each is made by a buildkitd of its own, and the core joins the images. */
  readonly endpoints?: Readonly<Record<string, string>>;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** By the id that `RUN --mount=type=secret,id=…` names. */
  readonly secrets: Readonly<Record<string, SecretSource>>;
  /** Seconds since 1970: the date of everything that the build makes. */
  readonly sourceDateEpoch: number;
  /** Milliseconds after which a Dockerfile that may fetch things is built again from unchanged inputs. */
  readonly maxAge: number;
}

const MAX_AGE = '7d';

const variable = '^[A-Za-z_][A-Za-z0-9_]{0,127}$';
const endpointSchema: JsonSchema = {
  type: 'string',
  pattern: '^(?:unix|tcp|docker-container|podman-container|kube-pod|ssh)://[^\\s,]+$',
  maxLength: 512,
};
const cacheSchema = (description: string): JsonSchema => ({
  type: 'array',
  items: { type: 'string', pattern: cachePattern, maxLength: 1024 },
  maxItems: 16,
  description,
});
const secret = (key: string, value: JsonSchema): JsonSchema => ({
  type: 'object',
  additionalProperties: false,
  properties: { [key]: value },
  required: [key],
});

export const optionsSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    builder: {
      type: 'string',
      pattern: '^[A-Za-z][A-Za-z0-9_.-]{0,127}$',
      description: 'The builder to use, as `docker buildx ls` names it. It must be able to write OCI layouts.',
    },
    endpoint: {
      ...endpointSchema,
      description: 'Where a buildkitd listens, in place of a builder, as unix:///run/buildkit/buildkitd.sock.',
    },
    endpoints: {
      type: 'object',
      minProperties: 1,
      propertyNames: { pattern: '^[a-z0-9]+/[a-z0-9]+(?:/v[0-9]+)?$' },
      additionalProperties: endpointSchema,
      description:
        'A buildkitd for each platform, as linux/arm64: tcp://arm.example:1234, in place of a builder. Each builds its own, without emulation; the images become one index.',
    },
    buildArgs: {
      type: 'object',
      propertyNames: { pattern: variable },
      additionalProperties: { type: 'string' },
      description: 'Values of ARG, for every Dockerfile that declares them. Never secrets: the image shows them.',
    },
    secrets: {
      type: 'object',
      propertyNames: { pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$' },
      additionalProperties: {
        oneOf: [
          secret('env', { type: 'string', pattern: variable }),
          secret('file', { type: 'string', minLength: 1, maxLength: 1024 }),
        ],
      },
      description: 'Secrets that steps may mount, by id, each from an environment variable or a file.',
    },
    cacheFrom: cacheSchema(
      'Caches to read, as buildx describes them: type=registry,ref=…, type=local,src=…, type=gha, s3 or azblob. {source} and {platform} stand for the Dockerfile and what is built.',
    ),
    cacheTo: cacheSchema('Caches to write, likewise; a local one has dest=… in place of src=….'),
    noCache: {
      type: 'boolean',
      default: false,
      description: 'Run every step again, whatever the builder and the caches remember.',
    },
    sourceDateEpoch: {
      type: 'integer',
      minimum: 0,
      maximum: 253_402_300_799,
      default: 0,
      description: 'Seconds since 1970: the date of the image and of all files in its layers.',
    },
    maxAge: {
      type: 'string',
      pattern: '^[1-9][0-9]{0,5}[smhd]$',
      default: MAX_AGE,
      description:
        'How long an image is kept when its inputs are unchanged, if its Dockerfile may fetch things that are not among them: by RUN with a network, or by ADD of a URL. Then it is built again without cache.',
    },
  },
  // One of them.
  dependentSchemas: {
    endpoint: { type: 'object', properties: { builder: false } },
    endpoints: { type: 'object', properties: { builder: false, endpoint: false } },
  },
};

/** The options were checked against {@link optionsSchema} before. */
export function parseOptions(options: Readonly<Record<string, unknown>>): DockerOptions {
  const { builder, endpoint, endpoints, buildArgs, secrets, cacheFrom, cacheTo, noCache, sourceDateEpoch, maxAge } =
    options;
  return {
    ...(typeof builder === 'string' ? { builder } : {}),
    ...(typeof endpoint === 'string' ? { endpoint } : {}),
    ...(endpoints === undefined ? {} : { endpoints: texts(endpoints) }),
    buildArgs: texts(buildArgs),
    secrets: Object.fromEntries(sorted(secrets).map(([id, source]) => [id, source as SecretSource])),
    cacheFrom: list(cacheFrom),
    cacheTo: list(cacheTo),
    noCache: noCache === true,
    sourceDateEpoch: typeof sourceDateEpoch === 'number' ? sourceDateEpoch : 0,
    maxAge: parseDuration(typeof maxAge === 'string' ? maxAge : MAX_AGE) ?? 0,
  };
}

function texts(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(sorted(value).map(([name, text]) => [name, String(text)]));
}

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

function sorted(value: unknown): readonly (readonly [string, unknown])[] {
  const entries: [string, unknown][] = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The part of them that changes the image, for its input key. Which builder makes it, from which caches, and what a secret holds, is not. */
export function decisive({ buildArgs, secrets, sourceDateEpoch }: DockerOptions): Readonly<Record<string, unknown>> {
  return { buildArgs, secrets: Object.keys(secrets), sourceDateEpoch };
}
