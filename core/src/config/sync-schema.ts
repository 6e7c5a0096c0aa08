/** The part of the config's schema that says what is synced, and how. */
import { DURATION } from './duration.ts';
import { identityProperties } from './signing-schema.ts';

function text(title: string, description: string, ...examples: readonly string[]) {
  return { title, description, type: 'string', minLength: 1, maxLength: 1024, examples };
}

function list(title: string, description: string, items: object) {
  return { title, description, type: 'array', minItems: 1, maxItems: 1000, items };
}

function flag(title: string, description: string) {
  return { title, description, type: 'boolean', default: false };
}

function regex(title: string, description: string, example: string) {
  return { ...text(title, description, example), maxLength: 512 };
}

/** A list of texts, or one text for a list of one. */
function oneOrMore(title: string, description: string, one: ReturnType<typeof text>) {
  return { ...one, title, description, type: ['string', 'array'], minItems: 1, maxItems: 100, items: one };
}

export const platforms = {
  title: 'Platforms',
  description: 'Only these, as an index of their own over unaltered images; the whole index when absent.',
  type: 'array',
  minItems: 1,
  maxItems: 100,
  examples: [['linux/amd64', 'linux/arm64']],
  items: {
    title: 'Platform',
    description: 'As linux/amd64, or by its Alpine name, as x86_64.',
    type: 'string',
    minLength: 1,
    maxLength: 64,
    examples: ['linux/amd64', 'linux/arm64'],
  },
};

const referrers = {
  title: 'Referrers',
  description: "Copy upstream's signatures, SBOMs and attestations too: true for all, or those of some types.",
  type: ['boolean', 'object'],
  default: false,
  additionalProperties: false,
  properties: {
    types: list(
      'Types',
      'Globs on the artifact type; every type when absent.',
      text('Type', 'A glob on the artifact type.', 'application/vnd.dev.sigstore.bundle*', 'application/spdx+json'),
    ),
    from: text(
      'From',
      "Repository in which they are, in place of the source's own.",
      'registry.example/attestations/app',
    ),
  },
};

const signer = {
  key: text('Key', 'PEM file with the public key that must have signed it, relative to this file.', './upstream.pub'),
  ...identityProperties,
};

const verify = {
  title: 'Verify',
  description: 'What the source must prove before it is copied: who signed it, how old it is.',
  type: 'object',
  minProperties: 1,
  additionalProperties: false,
  properties: {
    ...signer,
    anyOf: list('Any of', 'Signers of whom one is enough.', {
      title: 'Signer',
      description: 'A public key, or issuer and subject.',
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      properties: signer,
    }),
    minAge: {
      ...text('Least age', 'How old an image must be, from the time it was made.', '7d', '12h'),
      pattern: DURATION,
    },
  },
};

const sourceSignature = {
  title: 'Source signature',
  description: 'The same as verify with issuer and subject, by regular expressions that are found anywhere in them.',
  type: 'object',
  required: ['issuerRegExp', 'subjectRegExp'],
  additionalProperties: false,
  properties: {
    issuerRegExp: regex(
      'Issuer',
      'Found in the issuer of the certificate.',
      '^https://token.actions.githubusercontent.com$',
    ),
    subjectRegExp: regex('Subject', 'Found in its subject.', '^https://github.com/example/'),
  },
};

export const select = {
  title: 'Select',
  description: 'Which tags of the source to copy: those that are named, and those that pass every test.',
  type: 'object',
  minProperties: 1,
  additionalProperties: false,
  properties: {
    tags: list('Tags', 'Tags by name; no test is asked of these.', {
      ...text('Tag', 'A tag.', "'3.20'", 'latest'),
      maxLength: 128,
    }),
    semver: oneOrMore('Versions', 'A range of versions, or several: a tag passes when it is in one of them.', {
      ...text('Range', 'A range of versions.', "'>=1.2 <2'", "'^20'"),
      maxLength: 256,
    }),
    regex: regex('Regular expression', 'For the whole tag, in RE2 syntax.', "'[0-9]+-alpine'"),
    exclude: list(
      'Exclude',
      'Globs, or regular expressions between slashes: a tag that one of them matches is left out.',
      {
        ...text(
          'Pattern',
          'A glob on the tag, or a regular expression for the whole of it.',
          "'*-rc*'",
          "'/1\\.[0-6]\\..*/'",
        ),
        maxLength: 256,
      },
    ),
    extract: regex(
      'Extract',
      'For the whole tag, in RE2 syntax: its group named key, or its first, is what semver and sort look at.',
      "'([0-9.]+)-alpine'",
    ),
    sort: {
      title: 'Sort',
      description: 'What makes a tag newer than another; the version where semver is given.',
      type: 'string',
      enum: ['semver', 'numeric', 'alphabetical'],
    },
    latest: {
      title: 'Latest',
      description: 'How many of the newest to take; all when absent.',
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      examples: [3],
    },
    prerelease: flag('Prerelease', 'Versions such as 1.2.0-rc.1 count as well.'),
    minimum: {
      title: 'Minimum',
      description: 'Fewer tags than this are a failure.',
      type: 'integer',
      minimum: 1,
      maximum: 10_000,
      examples: [1],
    },
    allowEmpty: flag('Allow empty', 'That no tag passes is no failure.'),
  },
};

export const syncOptions = {
  platforms,
  missingPlatforms: {
    title: 'Missing platforms',
    description:
      'What a platform that the image lacks is: a failure, or left out. With skip an image or an artifact that is no index is copied as it is.',
    type: 'string',
    enum: ['fail', 'skip'],
    default: 'fail',
  },
  referrers,
  verify,
  sourceSignature,
  'auto-update-mutable-tag-digest': flag(
    'Update the digest',
    'Has no meaning here: slipway update brings every digest up to date.',
  ),
  immutable: flag('Immutable', 'A tag that is at the destination is not asked about again.'),
  foreignLayers: flag('Foreign layers', 'Copy layers that registries only point to as well.'),
  backup: {
    ...text(
      'Backup',
      'The tag under which what a sync overwrites is kept; {tag}, {date} and {sha} are filled in.',
      "'backup-{tag}-{date}'",
    ),
    maxLength: 256,
  },
};
