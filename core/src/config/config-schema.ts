/** The JSON Schema of config.yaml (draft 2020-12): editors get it from `slipway schema`, and the loader checks with it. */
import type { JsonSchema } from '../plugin/api.ts';
import { platforms, select, syncOptions } from './sync-schema.ts';

/** Mode name → the keys it adds to a build entry. Every mode has a key here, if only with no properties. */
export type ModeProperties = Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

export function configSchema(modeProperties: ModeProperties): JsonSchema {
  return {
    $schema: DRAFT,
    title: 'Slipway config',
    description: 'What images to sync from other registries and what images to build.',
    type: ['object', 'null'],
    additionalProperties: false,
    properties: {
      sync: {
        title: 'Sync',
        description: 'Images to copy from another registry.',
        type: ['array', 'null'],
        items: syncItem,
      },
      build: {
        title: 'Build',
        description: 'Images to build.',
        type: ['array', 'null'],
        items: buildItem(modeProperties),
      },
    },
    patternProperties: {
      '^x-': { title: 'Aside', description: 'Of no meaning: the place for what anchors name and entries share.' },
    },
  };
}

const destination = {
  title: 'Destination',
  description:
    'the repository and tag to publish to, or a layout, as oci:./mirror/alpine:3.20; the tag may hold {date} and {sha}, and is latest when absent.',
  type: 'string',
  minLength: 1,
  maxLength: 1024,
  examples: ['ghcr.io/example/images/alpine:3.20', 'oci:./mirror/alpine:3.20'],
};

const always = {
  title: 'Always',
  description: 'Scan and attest again, and confirm the signature, even if nothing moved.',
  type: 'boolean',
  default: false,
};

const tags = {
  title: 'Tags',
  description: "Further tags in the destination's repository; {date} and {sha} are filled in.",
  type: 'array',
  maxItems: 100,
  items: {
    title: 'Tag',
    description: 'A tag, as 3.20 or {date}-{sha}.',
    type: 'string',
    minLength: 1,
    maxLength: 256,
    examples: ["'3.20'", "'{date}'"],
  },
};

const syncItem = {
  title: 'Sync entry',
  description: 'One image to copy, or with "select" several tags of a repository.',
  type: 'object',
  required: ['source', 'destination'],
  additionalProperties: false,
  properties: {
    source: {
      title: 'Source',
      description:
        'the image to copy: by tag, by digest, or both; with "select" a repository; short names are those of Docker Hub; a layout in a folder or an archive, as oci:./mirror/alpine:3.20 or oci-archive:./alpine.tar:3.20.',
      type: 'string',
      minLength: 1,
      maxLength: 1024,
      examples: ['docker.io/library/alpine:3.20', 'oci:/mnt/usb/alpine:3.20'],
    },
    destination: {
      ...destination,
      description:
        'the repository and tag to publish to, or a layout, as oci:./mirror/{path}; {registry}, {path}, {name} and {tag} of the source, {date} and {sha} are filled in; without a tag it is latest, with "select" the tag of the source.',
      examples: ['ghcr.io/example/images/alpine:3.20', 'ghcr.io/example/mirror/{path}:{tag}'],
    },
    select,
    always,
    tags,
    ...syncOptions,
  },
};

function path(title: string, description: string, example: string): JsonSchema {
  return { title, description, type: 'string', minLength: 1, maxLength: 4096, examples: [example] };
}

function buildItem(modeProperties: ModeProperties): JsonSchema {
  const modes = Object.keys(modeProperties);
  return {
    title: 'Build entry',
    description: 'One image to build.',
    type: 'object',
    required: ['source', 'destination'],
    additionalProperties: false,
    properties: {
      ...addedProperties(modeProperties),
      source: path(
        'Source',
        'the apko file or the Dockerfile to build from, relative to this file.',
        './images/hello/image.yaml',
      ),
      destination,
      always,
      tags,
      melangeConfigs: {
        title: 'Melange configs',
        description: 'Packages to build first with melange, relative to this file.',
        type: 'array',
        maxItems: 1000,
        items: path('Melange config', 'A melange file, relative to this file.', './images/hello/pkg-hello.yaml'),
      },
      dockerOptions: {
        title: 'Docker options',
        description: 'Options of the docker mode.',
        type: 'object',
        additionalProperties: false,
        properties: {
          context: path('Context', "The build context; the source's folder when absent.", './images/hello'),
        },
      },
      buildOnMainOnly: {
        title: 'Build on main only',
        description: 'Skip this entry on every branch but main.',
        type: 'boolean',
        default: false,
      },
      buildOnArm: {
        title: 'Build on Arm',
        description: 'Has no meaning here: platforms says what to build for, and any machine builds it.',
        type: 'boolean',
        default: false,
      },
      platforms: { ...platforms, description: 'Platforms to build for; those of the source when absent.' },
      mode: {
        title: 'Mode',
        description: 'How to build; the one mode that claims the source when absent.',
        type: 'string',
        minLength: 1,
        ...(modes.length === 0 ? {} : { enum: modes }),
      },
    },
  };
}

/** Two modes may add the same key with different schemas: then either will do here, and the mode itself decides. */
function addedProperties(modeProperties: ModeProperties): JsonSchema {
  const schemas = new Map<string, JsonSchema[]>();
  for (const [mode, properties] of Object.entries(modeProperties)) {
    for (const [key, schema] of Object.entries(properties)) {
      const described = { title: key, description: `An option of the mode ${mode}.`, ...schema };
      schemas.set(key, [...(schemas.get(key) ?? []), described]);
    }
  }
  return Object.fromEntries(
    [...schemas].map(([key, all]) => [
      key,
      all.length > 1 ? { title: key, description: 'An option of several modes.', anyOf: all } : all[0],
    ]),
  );
}
