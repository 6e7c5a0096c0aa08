/** The part of the settings' schema that says who signs, and whose signatures count. */

function text(title: string, description: string, ...examples: readonly string[]) {
  return { title, description, type: 'string', minLength: 1, maxLength: 2048, examples };
}

const PATTERN = { maxLength: 512 };

export const identityProperties = {
  issuer: text('Issuer', 'Issuer of the identity token, exactly.', 'https://token.actions.githubusercontent.com'),
  issuerPattern: {
    ...text('Issuer pattern', 'A regular expression for the whole issuer.', 'https://.*\\.example'),
    ...PATTERN,
  },
  subject: text(
    'Subject',
    'Identity in the certificate, exactly.',
    'https://github.com/example/images/.github/workflows/build.yml@refs/heads/main',
  ),
  subjectPattern: {
    ...text(
      'Subject pattern',
      'A regular expression for the whole identity.',
      'https://github\\.com/example/images/.*',
    ),
    ...PATTERN,
  },
};

const publicKey = text('Public key', 'PEM file with the public key, relative to this file.', './cosign.pub');

const signer = {
  format: {
    title: 'Format',
    description:
      'bundle: Sigstore bundles as referrers; legacy: the .sig and .att tags that older consumers read; both.',
    type: 'string',
    enum: ['bundle', 'legacy', 'both'],
    default: 'bundle',
  },
  key: text(
    'Key',
    'A key file, env://NAME, or the URI of a key management service; keyless when absent.',
    './cosign.key',
    'env://COSIGN_PRIVATE_KEY',
    'awskms:///alias/images',
  ),
  publicKey,
  keyless: {
    title: 'Keyless',
    description: 'The identity that this run signs with; issuer and subject, each exact or a pattern.',
    type: 'object',
    additionalProperties: false,
    properties: identityProperties,
  },
  identityTokenEnv: {
    ...text(
      'Identity token',
      'Environment variable that holds the identity token, when it is not ambient.',
      'SIGSTORE_ID_TOKEN',
    ),
    pattern: '^[A-Za-z_][A-Za-z0-9_]{0,127}$',
  },
  signingConfig: text('Signing config', 'A Sigstore signing config, relative to this file.', './signing-config.json'),
  trustedRoot: text('Trusted root', 'A Sigstore trusted root, relative to this file.', './trusted-root.json'),
  accept: {
    title: 'Accept',
    description: 'Whose signatures count besides our own, for rotation: a public key, or issuer and subject.',
    type: 'array',
    maxItems: 20,
    items: {
      title: 'Accepted signer',
      description: 'A public key, or issuer and subject.',
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      properties: { publicKey, ...identityProperties },
    },
  },
};

export const signingSchema = {
  title: 'Signing',
  description: 'Who signs, and whose signatures count.',
  type: 'object',
  additionalProperties: false,
  properties: {
    ...signer,
    scratch: {
      title: 'Scratch',
      description: 'What a run with --to signs with, which is never the key above.',
      type: 'object',
      minProperties: 1,
      additionalProperties: false,
      properties: signer,
    },
  },
};
