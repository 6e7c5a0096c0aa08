/** The part of the settings' schema that says what the gate refuses. */
import { DURATION } from './duration.ts';
import { severities } from './settings-model.ts';
import { match, waiverTerms } from './waiver-schema.ts';

const verdict = {
  title: 'Verdict',
  description: 'refuse leaves the tag as it was; report only shows the findings.',
  type: 'string',
  enum: ['refuse', 'report'],
};

const rules = {
  verdict,
  severities: {
    title: 'Severities',
    description: 'Findings of these severities count.',
    type: 'array',
    minItems: 1,
    maxItems: severities.length,
    items: {
      title: 'Severity',
      description: 'How bad a finding is.',
      type: 'string',
      enum: severities,
    },
  },
  fixable: { title: 'Fixable', description: 'Only findings with a fixed version count.', type: 'boolean' },
  unscanned: { ...verdict, title: 'Unscanned', description: 'When some platforms could not be scanned.' },
  unscannable: { ...verdict, title: 'Unscannable', description: 'When no platform could be scanned.' },
  endOfLife: {
    ...verdict,
    title: 'End of life',
    description: 'When the operating system gets no advisories any more.',
  },
  notWorse: {
    title: 'Not worse',
    description: 'Pass an image that is no worse than the one the tag names now.',
    type: 'boolean',
  },
};

function kind(title: string, description: string) {
  return {
    title,
    description,
    type: ['string', 'object'],
    // Only for text: any other type is reported by `type` above, and `enum` alone would say it again.
    if: { not: { type: 'string' } },
    else: { enum: ['refuse', 'report'] },
    additionalProperties: false,
    properties: rules,
  };
}

const waiver = {
  title: 'Waiver',
  description: 'A finding that is accepted until a day, with the reason.',
  type: 'object',
  required: ['id', 'reason', 'expires'],
  additionalProperties: false,
  properties: {
    id: {
      title: 'Id',
      description: 'the id of the finding.',
      type: 'string',
      pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$',
      examples: ['CVE-2026-12345'],
    },
    ...waiverTerms,
  },
};

export const policySchema = {
  title: 'Policy',
  description: 'What the gate refuses.',
  type: 'object',
  additionalProperties: false,
  properties: {
    build: kind(
      'Build policy',
      'For images that are built; refuses on fixable CRITICAL and HIGH findings when absent.',
    ),
    sync: kind('Sync policy', 'For images that are synced; reports when absent.'),
    overrides: {
      title: 'Overrides',
      description: 'Other rules for the entries that match; later ones go before earlier ones.',
      type: 'array',
      maxItems: 1000,
      items: {
        title: 'Override',
        description: 'A pattern and the rules that differ for it.',
        type: 'object',
        required: ['match'],
        additionalProperties: false,
        properties: { match, ...rules },
      },
    },
    waivers: {
      title: 'Waivers',
      description: 'Findings that are accepted for a time.',
      type: 'array',
      maxItems: 10_000,
      items: waiver,
    },
    scan: {
      title: 'Scan',
      description: 'When a scan is made again.',
      type: 'object',
      additionalProperties: false,
      properties: {
        maxAge: {
          title: 'Maximum age',
          description: 'Older scans are made again by run; never when absent.',
          type: 'string',
          pattern: DURATION,
          examples: ['7d', '12h'],
        },
      },
    },
  },
};
