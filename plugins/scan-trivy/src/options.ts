/** What the settings may say about scanning. */
import type { JsonSchema } from '@slipway/core';

export interface TrivyOptions {
  readonly databaseRepositories: readonly string[];
  readonly javaDatabaseRepositories: readonly string[];
}

const DATABASES = ['mirror.gcr.io/aquasec/trivy-db:2', 'ghcr.io/aquasecurity/trivy-db:2'];
const JAVA_DATABASES = ['mirror.gcr.io/aquasec/trivy-java-db:1', 'ghcr.io/aquasecurity/trivy-java-db:1'];

/** A reference: no comma, which trivy would split at, and no leading dash. */
const reference = { type: 'string', pattern: '^[A-Za-z0-9\\[][^\\s,]*$', maxLength: 512 };
const references = { oneOf: [reference, { type: 'array', items: reference, minItems: 1, maxItems: 8 }] };

export const optionsSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    databaseRepository: {
      ...references,
      default: DATABASES,
      description:
        'Where the vulnerability database is fetched, once a run: a reference, or several to be tried in order.',
    },
    javaDatabaseRepository: {
      ...references,
      default: JAVA_DATABASES,
      description: 'Where the index of Java archives is fetched, when the first image with one is scanned.',
    },
  },
};

/** The options were checked against {@link optionsSchema} before. */
export function parseOptions(options: Readonly<Record<string, unknown>>): TrivyOptions {
  return {
    databaseRepositories: listOf(options['databaseRepository'], DATABASES),
    javaDatabaseRepositories: listOf(options['javaDatabaseRepository'], JAVA_DATABASES),
  };
}

function listOf(value: unknown, otherwise: readonly string[]): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : otherwise;
}

/** `ghcr.io/a/b:2` → `ghcr.io`: whose credentials a fetch may see. */
export function hostOf(reference: string): string {
  return reference.split('/', 1)[0] ?? reference;
}
