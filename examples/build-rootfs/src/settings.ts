/** How a container of the image starts: the key `rootfs:` of a build entry. */
import type { ImageSettings, JsonSchema } from '@slipway/core';

const texts: JsonSchema = { type: 'array', items: { type: 'string' } };

export const properties: Readonly<Record<string, JsonSchema>> = {
  rootfs: {
    type: 'object',
    additionalProperties: false,
    description: 'How a container of the image starts.',
    properties: {
      entrypoint: { ...texts, description: 'Program and first arguments.' },
      cmd: { ...texts, description: 'Arguments that a user may replace.' },
      env: { ...texts, description: 'Variables, as NAME=value.' },
      user: { type: 'string', description: 'User, as 65532 or name:group; root when absent.' },
      workingDir: { type: 'string', description: 'Where it starts.' },
    },
  },
};

interface Wanted {
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: readonly string[];
  readonly user?: string;
  readonly workingDir?: string;
}

/** Of the entry's options, which were checked against {@link properties}. */
export function imageSettings(options: Readonly<Record<string, unknown>>): ImageSettings {
  const { entrypoint, cmd, env, user, workingDir } = (options['rootfs'] ?? {}) as Wanted;
  return {
    ...(entrypoint === undefined ? {} : { Entrypoint: entrypoint }),
    ...(cmd === undefined ? {} : { Cmd: cmd }),
    ...(env === undefined ? {} : { Env: env }),
    ...(user === undefined ? {} : { User: user }),
    ...(workingDir === undefined ? {} : { WorkingDir: workingDir }),
  };
}
