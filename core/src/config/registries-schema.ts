/** The JSON Schema of `registries:` in the settings. */
import type { JsonSchema } from '../plugin/api.ts';
import { BANDWIDTH } from './bandwidth.ts';

/** Names of environment variables, and of credential helpers, as nobody can mistake for anything else. */
const VARIABLE = '^[A-Za-z_][A-Za-z0-9_]{0,127}$';
/** As Basic has it, where a colon ends the name. */
const USERNAME = '^[^:\\s]+$';
const HELPER = '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$';

function text(title: string, description: string, example: string, more: object = {}): JsonSchema {
  return { title, description, type: 'string', minLength: 1, maxLength: 512, examples: [example], ...more };
}

function whole(title: string, description: string, minimum: number, maximum: number, example: number): JsonSchema {
  return { title, description, type: 'integer', minimum, maximum, examples: [example] };
}

export const bandwidthSchema = (description: string): JsonSchema =>
  text('Bandwidth', description, '20MB/s', { pattern: BANDWIDTH, maxLength: 16 });

export const registriesSchema: JsonSchema = {
  title: 'Registries',
  description: 'What is particular to a registry, or to a part of one.',
  type: 'array',
  maxItems: 1000,
  items: {
    title: 'Registry',
    description: 'A registry or a repository prefix in one, and how it is spoken to.',
    type: 'object',
    required: ['match'],
    additionalProperties: false,
    properties: {
      match: text(
        'Match',
        'a registry, or a repository prefix in one; the longest that covers a repository counts.',
        'ghcr.io/team-a',
      ),
      login: {
        title: 'Login',
        description: "Who we are there, in place of Docker's config: one of the three ways.",
        type: 'object',
        minProperties: 1,
        additionalProperties: false,
        examples: [{ usernameEnv: 'TEAM_A_USER', passwordEnv: 'TEAM_A_TOKEN' }],
        properties: {
          username: text('Name', 'The name itself, which is no secret, in place of usernameEnv.', 'AWS', {
            pattern: USERNAME,
          }),
          usernameEnv: text('Variable of the name', 'Environment variable that holds the name.', 'TEAM_A_USER', {
            pattern: VARIABLE,
          }),
          passwordEnv: text(
            'Variable of the password',
            'Environment variable that holds the password.',
            'TEAM_A_TOKEN',
            {
              pattern: VARIABLE,
            },
          ),
          dockerConfig: text('Docker config', "A file like Docker's config.json.", './team-a.json'),
          helper: text('Helper', 'A credential helper, docker-credential-NAME on the PATH.', 'ecr-login', {
            pattern: HELPER,
          }),
        },
      },
      ca: text('Authorities', 'PEM file of authorities that are trusted for this host too.', './ca.pem'),
      cert: text('Certificate', 'PEM file of our own certificate, for hosts that ask for one.', './client.pem'),
      key: text('Key', 'PEM file of the private key of cert.', '/run/secrets/client.key'),
      connections: whole('Connections', 'Requests under way at once, in place of limits.host.', 1, 256, 32),
      requestsPerSecond: whole('Requests per second', 'Requests that may begin in a second.', 1, 10_000, 30),
      bandwidth: bandwidthSchema('Bytes a second, in both directions together.'),
      reserve: whole('Reserve', "Pulls of the registry's limit that are left to others.", 0, 1_000_000, 20),
      plainHttp: {
        title: 'Plain HTTP',
        description:
          'Whether this host is spoken to without TLS; as loopback is, unless this is false or ca or cert is given.',
        type: 'boolean',
        examples: [true],
      },
    },
  },
};
