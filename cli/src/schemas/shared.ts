/** What the published schemas (JSON Schema draft 2020-12) are made of: closed objects, failures, rows. */
import type { JsonSchema } from '@slipway/core';

export const DRAFT = 'https://json-schema.org/draft/2020-12/schema';

/** An object with these properties and no other; those of `optional` may be absent. */
export function closed(
  description: string,
  required: Readonly<Record<string, JsonSchema>>,
  optional: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return {
    description,
    type: 'object',
    required: Object.keys(required),
    properties: { ...required, ...optional },
    additionalProperties: false,
  };
}

export function text(description: string): JsonSchema {
  return { description, type: 'string' };
}

export function oneWord(description: string, words: readonly string[]): JsonSchema {
  return { description, enum: words };
}

export function flag(description: string): JsonSchema {
  return { description, type: 'boolean' };
}

export function count(description: string): JsonSchema {
  return { description, type: 'integer', minimum: 0 };
}

export function amount(description: string): JsonSchema {
  return { description, type: 'number', minimum: 0 };
}

export function list(description: string, items: JsonSchema): JsonSchema {
  return { description, type: 'array', items };
}

export function defined(name: string): JsonSchema {
  return { $ref: `#/$defs/${name}` };
}

export function orNull(schema: JsonSchema): JsonSchema {
  const { description, ...rest } = schema;
  return { ...(description === undefined ? {} : { description }), anyOf: [rest, { type: 'null' }] };
}

const permanent: JsonSchema = { description: 'Trying again does not help.', const: 'permanent' };
const retriable = oneWord('Whether trying again can help.', ['transient', 'permanent']);

function failureOf(
  reason: string,
  description: string,
  failureClass: JsonSchema,
  own: Readonly<Record<string, JsonSchema>> = {},
  ownOptional: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return closed(
    description,
    {
      reason: { description: 'Whose side failed.', const: reason },
      class: failureClass,
      message: text('One sentence: what failed, with the names of the things concerned.'),
      ...own,
    },
    {
      ...ownOptional,
      hint: text('What the reader can do next.'),
      at: defined('position'),
      standing: closed('What a tag was seen to name after it was, or was not, moved.', {
        tag: text('As registry/repository:tag.'),
        digest: orNull(defined('digest')),
      }),
    },
  );
}

const tool = text('The program, as crane.');

export const outcomes = ['published', 'unchanged', 'refused', 'failed', 'skipped', 'cancelled'] as const;

/** Of a row, in answers and events as in a report. */
export const rowParts = {
  id: text('The entry: kind and destination as the config has it.'),
  destination: text('The reference that was published to.'),
  digest: orNull({
    ...defined('digest'),
    description: 'What the destination is, or was to be; null when that was never found out.',
  }),
  before: orNull({
    ...defined('digest'),
    description: 'What the tag named before the run; null when there was none.',
  }),
  why: text('Why it ran, or why it did not.'),
  findings: orNull({
    ...defined('findings'),
    description: 'null when it was not scanned, which is not the same as none.',
  }),
  size: orNull(count('Bytes of all platforms’ configs and layers; null when not known.')),
  packages: orNull(count('Most packages found on one platform; null when not known.')),
  seconds: amount('Time its tasks took together.'),
  backup: text('The tag under which what was overwritten is kept; nothing of it is verified.'),
  unscanned: list('Platforms that no scanner could read; findings says nothing of them.', text('As linux/arm64.')),
  endOfLife: list(
    'Operating systems that get no advisories any more; findings lacks what became known since.',
    text('As alpine 3.20.'),
  ),
  waived: list(
    'Waivers without which the policy had refused what is published, on the day of the run.',
    defined('waiver'),
  ),
} as const;

export const definitions: Readonly<Record<string, JsonSchema>> = {
  digest: {
    description: 'As sha256: and 64 hex digits.',
    type: 'string',
    pattern: '^[a-z0-9]+(?:[.+_-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$',
  },
  change: closed('A part of what decides, before and now.', {
    part: text('As file images/git/image.yaml, or source.'),
    from: orNull(text('A digest or its beginning; null when it was not there.')),
    to: orNull(text('The same, now.')),
  }),
  position: closed('A place in a file of the user’s.', {
    file: text('Path of the file.'),
    line: { description: '1-based, as editors count.', type: 'integer', minimum: 1 },
    column: { description: '1-based, as editors count.', type: 'integer', minimum: 1 },
  }),
  waiver: closed('A waiver of the policy that counted.', {
    id: text('The finding, as CVE-2026-12345.'),
    reason: text('Why it is accepted, as the settings say.'),
    expires: text('The last day it holds, UTC, as 2027-01-31.'),
  }),
  failure: {
    description: 'Why something was not done.',
    oneOf: [
      failureOf('config', 'The config, the settings or the command line is wrong.', permanent),
      failureOf(
        'registry',
        'A registry said no, lied, or could not be reached.',
        retriable,
        {
          side: oneWord('Which end of the work it was.', ['source', 'destination']),
          host: text('As ghcr.io.'),
        },
        {
          status: { description: 'HTTP status, when an answer came.', type: 'integer', minimum: 100, maximum: 999 },
          code: text('The registry’s own error code, as MANIFEST_UNKNOWN.'),
        },
      ),
      failureOf(
        'tool',
        'An external program ran and failed, or its output made no sense.',
        retriable,
        { tool },
        {
          exitCode: { description: 'Absent when a signal or a time limit ended it.', type: 'integer' },
          output: text('The last lines it wrote, redacted.'),
        },
      ),
      failureOf('missing-tool', 'An external program is not there in an accepted version.', permanent, { tool }),
      failureOf(
        'policy',
        'The gate refused an image.',
        { description: 'Policy decides; trying again does not help.', const: 'policy' },
        { refusals: list('Each reason to refuse.', { type: 'string' }) },
        { waived: list('Waivers without which there were more reasons.', defined('waiver')) },
      ),
      failureOf(
        'trust',
        'What is published, or was to be copied, is incomplete or not trusted.',
        permanent,
        {},
        { side: oneWord('Given when it is the source that is not trusted.', ['source']) },
      ),
      failureOf('plugin', 'A plugin broke its contract.', permanent, {
        plugin: text('Its name.'),
        hook: text('The hook or contract, as image.scan@1.'),
      }),
      failureOf('need', 'What it needs did not succeed.', permanent, {
        need: text('The entry or package that it waited for.'),
      }),
      failureOf('wait', 'It is too new: it is left alone until it is old enough.', permanent, {
        until: text('When it can be done, RFC 3339.'),
      }),
      failureOf('cancelled', 'The run was interrupted, ran out of time, or was stopped by --fail now.', {
        const: 'cancelled',
      }),
    ],
  },
  findings: closed('Unique findings over all platforms, by severity.', {
    CRITICAL: count('Critical.'),
    HIGH: count('High.'),
    MEDIUM: count('Medium.'),
    LOW: count('Low.'),
    UNKNOWN: count('Without a known severity.'),
  }),
  row: closed(
    'What a run came to for one destination repository:tag.',
    {
      id: rowParts.id,
      destination: rowParts.destination,
      digest: rowParts.digest,
      outcome: oneWord('What became of it.', outcomes),
      before: rowParts.before,
      why: rowParts.why,
      findings: rowParts.findings,
      signed: flag('Our signature is attached and was verified.'),
      size: rowParts.size,
      packages: rowParts.packages,
      seconds: rowParts.seconds,
    },
    {
      backup: rowParts.backup,
      unscanned: rowParts.unscanned,
      endOfLife: rowParts.endOfLife,
      waived: rowParts.waived,
      failure: defined('failure'),
    },
  ),
};

export const platformPackages: JsonSchema = list(
  'By platform, of SBOMs that a run made.',
  closed('One platform.', {
    platform: text('As linux/amd64.'),
    packages: list(
      'What is installed.',
      closed(
        'One package.',
        { name: text('Its name.'), version: text('Its version.') },
        {
          purl: text('https://github.com/package-url/purl-spec, without qualifiers.'),
          license: text('As the SBOM declares it.'),
        },
      ),
    ),
  }),
);

export const attachments: JsonSchema = list(
  'Verified statements about it.',
  closed(
    'One statement.',
    {
      predicateType: text('As https://spdx.dev/Document.'),
      referrer: defined('digest'),
      signer: text('A key’s fingerprint, or an identity.'),
    },
    { time: text('RFC 3339, as the statement says.') },
  ),
);

export const asked: JsonSchema = closed(
  'Options that other commands need too, or they are about other images; absent where they are the default.',
  {},
  { config: text('--config.'), settings: text('--settings.'), to: text('--to.') },
);
