/** The part of the settings' schema that says what `slipway check` asks for. */
import { ruleIds } from '../check/model.ts';
import { waiverTerms } from './waiver-schema.ts';

const severity = {
  description: 'error fails the check, warning only shows, off is not looked at.',
  type: 'string',
  enum: ['off', 'warning', 'error'],
};

const ruleId = { title: 'Rule', description: 'the id of a rule.', type: 'string', enum: ruleIds };

export const checkSchema = {
  title: 'Check',
  description: 'What `slipway check` asks for.',
  type: 'object',
  additionalProperties: false,
  properties: {
    rules: {
      title: 'Rules',
      description: 'Rule → how bad it is when it is broken, where that is not as usual.',
      type: 'object',
      additionalProperties: false,
      properties: Object.fromEntries(ruleIds.map((id) => [id, { title: id, ...severity }])),
    },
    waivers: {
      title: 'Waivers',
      description: 'Findings that are accepted for a time.',
      type: 'array',
      maxItems: 10_000,
      items: {
        title: 'Waiver of a rule',
        description: 'A rule that need not hold until a day, with the reason.',
        type: 'object',
        required: ['rule', 'reason', 'expires'],
        additionalProperties: false,
        properties: {
          rule: ruleId,
          ...waiverTerms,
          match: { ...waiverTerms.match, examples: ['sync:ghcr.io/example/**'] },
        },
      },
    },
    trustedRegistries: {
      title: 'Trusted registries',
      description: 'Where sources and bases may come from; anywhere when absent.',
      type: 'array',
      minItems: 1,
      maxItems: 1000,
      items: {
        title: 'Registry',
        description: 'A registry, or a repository prefix in one.',
        type: 'string',
        minLength: 1,
        maxLength: 512,
        examples: ['docker.io/library'],
      },
    },
    documentedIn: {
      title: 'Documented in',
      description:
        "The file that names every destination, relative to the config's folder; nothing is asked when absent.",
      type: 'string',
      minLength: 1,
      maxLength: 1024,
      examples: ['README.md'],
    },
  },
};
