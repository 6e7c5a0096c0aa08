/** The JSON Schema of slipway.lock.yaml (draft 2020-12). */
import type { JsonSchema } from '../plugin/api.ts';
import { digestPattern, tagPattern } from '../reference.ts';

const digest = {
  title: 'Digest',
  description: 'What the tag named.',
  type: 'string',
  pattern: digestPattern,
  examples: [`sha256:${'0'.repeat(64)}`],
};

const platforms = {
  title: 'Platforms',
  description: 'Those of the source, sorted; empty when it is no image.',
  type: 'array',
  maxItems: 1000,
  items: {
    title: 'Platform',
    description: 'As linux/amd64.',
    type: 'string',
    maxLength: 256,
    examples: ['linux/amd64'],
  },
};

const verified = {
  title: 'Verified',
  description: 'Who signed it, where the config asks that.',
  type: 'string',
  maxLength: 4096,
  examples: ['https://github.com/example/app/.github/workflows/release.yml@refs/heads/main'],
};

const key = {
  title: 'Key',
  description: 'Of what the config said when it was made; slipway update makes it anew when that changes.',
  type: 'string',
  pattern: '^[0-9a-f]{16}$',
  examples: ['0123456789abcdef'],
};

function source(description: string, example: string) {
  return { title: 'Source', description, type: 'string', maxLength: 4096, examples: [example] };
}

const image = { digest, platforms, verified };

export const lockSchema: JsonSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Slipway lock',
  description: 'What slipway update found, and --frozen runs: written by slipway, reviewed by people.',
  type: 'object',
  required: ['version', 'sources', 'selections'],
  additionalProperties: false,
  properties: {
    version: { title: 'Version', description: 'Of this format.', const: 1 },
    sources: {
      title: 'Sources',
      description: 'By the id of the entry: what its source named.',
      type: 'object',
      additionalProperties: {
        title: 'Locked source',
        description: 'One entry whose source is a tag.',
        type: 'object',
        required: ['key', 'source', 'digest', 'platforms'],
        additionalProperties: false,
        properties: { key, source: source('With its tag.', 'docker.io/library/alpine:3.20'), ...image },
      },
    },
    selections: {
      title: 'Selections',
      description: 'By the id of the selection: the tags that it chose.',
      type: 'object',
      additionalProperties: {
        title: 'Locked selection',
        description: 'One entry with select.',
        type: 'object',
        required: ['key', 'source', 'tags'],
        additionalProperties: false,
        properties: {
          key,
          source: source('The repository.', 'docker.io/library/node'),
          tags: {
            title: 'Tags',
            description: 'What each chosen tag named.',
            type: 'object',
            propertyNames: { pattern: tagPattern },
            additionalProperties: {
              title: 'Locked image',
              description: 'What one tag named.',
              type: 'object',
              required: ['digest', 'platforms'],
              additionalProperties: false,
              properties: image,
            },
          },
        },
      },
    },
  },
};
