/** What the settings may say about packages. */
import { parseDuration, type JsonSchema } from '@slipway/core';

export const runners = ['bubblewrap', 'docker', 'qemu'] as const;
export type Runner = (typeof runners)[number];

export interface MelangeOptions {
  readonly runner: Runner;
  /** A path from the config's folder, or `env://NAME`; absent: a key is made for each run. */
  readonly signingKey?: string;
  /** Seconds since 1970. */
  readonly sourceDateEpoch: number;
  /** Milliseconds after which a package is built again from unchanged inputs. */
  readonly maxAge: number;
}

const MAX_AGE = '7d';

export const optionsSchema: JsonSchema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    runner: {
      enum: runners,
      default: 'bubblewrap',
      description:
        'What a package is built in. Only qemu builds for a foreign architecture without help of the kernel.',
    },
    signingKey: {
      type: 'string',
      minLength: 1,
      maxLength: 4096,
      description:
        "The RSA key that signs packages: a path from the config's folder, or env://NAME for a variable that holds it as PEM. Its public half and its file's name end up in the images. Without it each run makes a key, and the digest of an image changes whenever it is built.",
    },
    sourceDateEpoch: {
      type: 'integer',
      minimum: 0,
      maximum: 253_402_300_799,
      default: 0,
      description: 'The date of everything in a package, in seconds since 1970.',
    },
    maxAge: {
      type: 'string',
      pattern: '^[1-9][0-9]{0,5}[smhd]$',
      default: MAX_AGE,
      description:
        'How long a package is used again when its inputs are unchanged. What its build environment installs is not among them, so this bounds how old a compiler or a library it was built with can be.',
    },
  },
};

/** The options were checked against {@link optionsSchema} before. */
export function parseOptions(options: Readonly<Record<string, unknown>>): MelangeOptions {
  const { runner, signingKey, sourceDateEpoch, maxAge } = options;
  return {
    runner: runners.find((name) => name === runner) ?? 'bubblewrap',
    ...(typeof signingKey === 'string' ? { signingKey } : {}),
    sourceDateEpoch: typeof sourceDateEpoch === 'number' ? sourceDateEpoch : 0,
    maxAge: parseDuration(typeof maxAge === 'string' ? maxAge : MAX_AGE) ?? 0,
  };
}
