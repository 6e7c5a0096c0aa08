/** What every waiver in the settings says, whatever it is that is accepted. */

/** Not a sentence: messages put it after the key's name. */
export const match = {
  title: 'Match',
  description: 'a glob on entry id or destination.',
  type: 'string',
  minLength: 1,
  maxLength: 512,
  examples: ['build:ghcr.io/example/**'],
};

export const waiverTerms = {
  match: { ...match, description: 'A glob on entry id or destination; everything when absent.' },
  reason: { title: 'Reason', description: 'why it is accepted.', type: 'string', minLength: 1, maxLength: 2000 },
  expires: {
    title: 'Expires',
    description: 'the last day it holds, UTC, as 2027-01-31.',
    type: 'string',
    pattern: '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
    examples: ['2027-01-31'],
  },
};
