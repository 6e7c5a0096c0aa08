/** What the settings may say about Dockerfiles. */
import { parseDuration, type JsonSchema } from '@slipway/core';

/** Where a secret comes from: a variable of our environment, or a file, relative to the config's folder unless absolute. */
export type SecretSource = { readonly env: string } | { readonly file: string };

export interface DockerOptions {
  /** The name of a builder that buildx knows; its current one when there is neither this nor an endpoint. */
  readonly builder?: string;
  /** Where a buildkitd listens, as `unix:///run/buildkit/buildkitd.sock`. */
  readonly endpoint?: string;
  readonly buildArgs: Readonly<Record<string, string>>;
  /** By the id that `RUN --mount=type=secret,id=…` names. */
  readonly secrets: Readonly<Record<string, SecretSource>>;
  readonly noCache: boolean;
  /** Seconds since 1970: the date of everything that the build makes. */
  readonly sourceDateEpoch: number;
  /** Milliseconds after which a Dockerfile that may fetch things is built again from unchanged inputs. */
  readonly maxAge: number;
}

const MAX_AGE = '7d';

const variable = '^[A-Za-z_][A-Za-z0-9_]{0,127}$';
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
      type: 'string',
      pattern: '^(?:unix|tcp|docker-container|podman-container|kube-pod|ssh)://[^\\s,]+$',
      maxLength: 512,
      description: 'Where a buildkitd listens, in place of a builder, as unix:///run/buildkit/buildkitd.sock.',
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
    noCache: { type: 'boolean', default: false, description: 'Run every step again, whatever the builder remembers.' },
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
  // One or the other.
  dependentSchemas: { endpoint: { type: 'object', properties: { builder: false } } },
};

/** The options were checked against {@link optionsSchema} before. */
export function parseOptions(options: Readonly<Record<string, unknown>>): DockerOptions {
  const { builder, endpoint, buildArgs, secrets, noCache, sourceDateEpoch, maxAge } = options;
  return {
    ...(typeof builder === 'string' ? { builder } : {}),
    ...(typeof endpoint === 'string' ? { endpoint } : {}),
    buildArgs: Object.fromEntries(sorted(buildArgs).map(([name, value]) => [name, String(value)])),
    secrets: Object.fromEntries(sorted(secrets).map(([id, source]) => [id, source as SecretSource])),
    noCache: noCache === true,
    sourceDateEpoch: typeof sourceDateEpoch === 'number' ? sourceDateEpoch : 0,
    maxAge: parseDuration(typeof maxAge === 'string' ? maxAge : MAX_AGE) ?? 0,
  };
}

function sorted(value: unknown): readonly (readonly [string, unknown])[] {
  const entries: [string, unknown][] = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return entries.sort(([a], [b]) => (a < b ? -1 : 1));
}

/** The part of them that changes the image, for its input key. Which builder makes it, and what a secret holds, is not. */
export function decisive({ buildArgs, secrets, sourceDateEpoch }: DockerOptions): Readonly<Record<string, unknown>> {
  return { buildArgs, secrets: Object.keys(secrets), sourceDateEpoch };
}
