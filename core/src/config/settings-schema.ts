/** The JSON Schema of the settings (draft 2020-12). */
import type { JsonSchema } from '../plugin/api.ts';
import { checkSchema } from './check-schema.ts';
import { DURATION } from './duration.ts';
import { policySchema } from './policy-schema.ts';
import { bandwidthSchema, registriesSchema } from './registries-schema.ts';
import { signingSchema } from './signing-schema.ts';

/** `pluginOptions`: plugin name → schema of its options, for the plugins that are known; others' options are free. */
export function settingsSchema(pluginOptions: Readonly<Record<string, JsonSchema>>): JsonSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Slipway settings',
    description: 'How the images of config.yaml are made: plugins, policy, signing, mirrors and limits.',
    type: ['object', 'null'],
    additionalProperties: false,
    properties: {
      $schema: { title: 'Schema', description: 'Where an editor finds this schema.', type: 'string' },
      plugins: {
        title: 'Plugins',
        description: 'Plugins besides the default ones, or options for those.',
        type: 'array',
        maxItems: 100,
        items: pluginItem(pluginOptions),
      },
      use: useSchema,
      main: {
        title: 'Main branch',
        description: 'The branch that counts as main.',
        type: 'string',
        pattern: '^[^\\u0000-\\u0020\\u007f-\\u009f]{1,255}$',
        default: 'main',
        examples: ['main'],
      },
      publish: {
        title: 'Publish',
        description: 'each: a tag moves when its own image has passed; together: none moves before all have passed.',
        type: 'string',
        enum: ['each', 'together'],
        default: 'each',
        examples: ['together'],
      },
      mirrors: mirrorsSchema,
      plainHttp: {
        title: 'Plain HTTP',
        description: 'Registries besides loopback that may be spoken to without TLS.',
        type: 'array',
        maxItems: 1000,
        items: text('Host', 'A registry host with its port.', 'registry.example:5000', 255),
      },
      registries: registriesSchema,
      policy: policySchema,
      trust: {
        title: 'Trust',
        description: 'How far the chain goes, by pattern; the first that matches decides, and full when none does.',
        type: 'array',
        maxItems: 1000,
        items: {
          title: 'Trust rule',
          description: 'A pattern and its level.',
          type: 'object',
          required: ['match', 'level'],
          additionalProperties: false,
          properties: {
            match: text('Match', 'a glob on entry id or destination.', 'sync:ghcr.io/example/mirror/**', 512),
            level: {
              title: 'Level',
              description: 'full, or copy for a mirror without scan, gate and signature.',
              type: 'string',
              enum: ['full', 'copy'],
            },
          },
        },
      },
      signing: signingSchema,
      check: checkSchema,
      limits: limitsSchema,
    },
  };
}

function text(title: string, description: string, example: string, maxLength: number): JsonSchema {
  return { title, description, type: 'string', minLength: 1, maxLength, examples: [example] };
}

/** A package name as npm has them, or a path from the settings' folder. */
const PLUGIN_NAME = '^(?:\\.\\.?/[^\\u0000-\\u001f\\u007f]+|(?:@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*)$';

function pluginItem(pluginOptions: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const known = Object.entries(pluginOptions).map(([name, options]) => ({
    if: { not: { type: 'object', required: ['name'], properties: { name: { const: name } } } },
    else: { properties: { options } },
  }));
  return {
    title: 'Plugin',
    description: 'A package name, or a path from this folder that starts with ./, alone or with options.',
    type: ['string', 'object'],
    pattern: PLUGIN_NAME,
    maxLength: 214,
    examples: ['sync-skopeo', './plugins/mine.ts'],
    required: ['name'],
    additionalProperties: false,
    properties: {
      name: { ...text('Name', 'the package name or path of the plugin.', 'sync-skopeo', 214), pattern: PLUGIN_NAME },
      options: { title: 'Options', description: 'What the plugin itself documents.', type: 'object' },
    },
    ...(known.length === 0 ? {} : { allOf: known }),
  };
}

function owner(contract: string): JsonSchema {
  return {
    ...text('Plugin', `The plugin that implements ${contract}, where several do.`, 'sync-skopeo', 214),
    pattern: PLUGIN_NAME,
  };
}

const CONTRACTS = [
  'image.copy',
  'package.build',
  'image.scan',
  'sbom.make',
  'statement.sign',
  'bundle.verify',
  'payload.sign',
  'payload.verify',
  'image.verify',
  'tags.list',
  'plan.emit',
];

const useSchema = {
  title: 'Use',
  description: 'Contract → the plugin that implements it, where several do.',
  type: 'object',
  additionalProperties: false,
  properties: Object.fromEntries(CONTRACTS.map((contract) => [contract, owner(contract)])),
  patternProperties: { '^image\\.build/[a-z][a-z0-9+._-]*$': owner('this build mode') },
};

const mirrorsSchema = {
  title: 'Mirrors',
  description: 'Where the bytes of a source can be read instead.',
  type: 'array',
  maxItems: 1000,
  items: {
    title: 'Mirror',
    description: 'A source and its mirror.',
    type: 'object',
    required: ['source', 'mirror'],
    additionalProperties: false,
    properties: {
      source: text('Source', 'a registry, or a repository prefix in one.', 'docker.io/library', 512),
      mirror: text('Mirror', "the prefix that the source's path is appended to.", 'mirror.example/hub', 512),
      trusted: {
        title: 'Trusted',
        description: 'Whether the mirror may also say what a tag names, and which tags there are.',
        type: 'boolean',
        default: false,
      },
    },
  },
};

function whole(title: string, description: string, maximum: number): JsonSchema {
  return { title, description, type: 'integer', minimum: 1, maximum };
}

const limitsSchema = {
  title: 'Limits',
  description: 'How much is done at once, and for how long.',
  type: 'object',
  additionalProperties: false,
  properties: {
    cpu: whole('CPU', 'Tasks that keep a CPU busy at once; as many as there are CPUs when absent.', 1024),
    host: {
      ...whole('Host', 'Tasks that talk to one registry host at once, and requests under way to it.', 256),
      default: 8,
    },
    rampUp: {
      title: 'Ramp up',
      description: 'Whether a host is asked little at first, and more while it answers well.',
      type: 'boolean',
      default: true,
    },
    bandwidth: bandwidthSchema('Bytes a second of all registries together, in both directions.'),
    task: {
      ...text('Task', 'The longest one task may take, at most 7d.', '15m', 16),
      pattern: DURATION,
      default: '15m',
    },
    tries: { ...whole('Tries', 'Tries of a task whose failure can pass by itself.', 10), default: 3 },
  },
};
