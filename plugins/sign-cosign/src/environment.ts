/** What cosign may see of our environment: by name, never by prefix, so that no other secret comes along. */
import { configFailure, fail, ok, type ConfigFailure, type Result, type SigningInput } from '@slipway/core';
import { existsSync } from 'node:fs';

/** Each alone says that a token can be had without asking anybody. */
const AMBIENT = [
  'SIGSTORE_ID_TOKEN',
  'ACTIONS_ID_TOKEN_REQUEST_TOKEN',
  'BUILDKITE_AGENT_ACCESS_TOKEN',
  'GOOGLE_SERVICE_ACCOUNT_NAME',
  'SPIFFE_ENDPOINT_SOCKET',
];
/** https://github.com/sigstore/cosign/blob/v3.1.3/pkg/providers: where a cluster mounts a token, and where SPIRE listens. */
const AMBIENT_FILES = ['/var/run/sigstore/cosign/oidc-token', '/tmp/spire-agent/public/api.sock'];

export const inheritedVariables: readonly string[] = [
  ...AMBIENT,
  ...['ACTIONS_ID_TOKEN_REQUEST_URL', 'BUILDKITE_AGENT_ENDPOINT', 'BUILDKITE_JOB_ID', 'COSIGN_PASSWORD', 'TUF_MIRROR'],
  // awskms://
  ...[
    'AWS_ACCESS_KEY_ID',
    'AWS_SECRET_ACCESS_KEY',
    'AWS_SESSION_TOKEN',
    'AWS_PROFILE',
    'AWS_REGION',
    'AWS_DEFAULT_REGION',
  ],
  ...[
    'AWS_ROLE_ARN',
    'AWS_ROLE_SESSION_NAME',
    'AWS_WEB_IDENTITY_TOKEN_FILE',
    'AWS_SHARED_CREDENTIALS_FILE',
    'AWS_CONFIG_FILE',
  ],
  ...[
    'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
    'AWS_CONTAINER_CREDENTIALS_FULL_URI',
    'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  ],
  // gcpkms://, azurekms://, hashivault://, gitlab://, k8s://
  ...[
    'GOOGLE_APPLICATION_CREDENTIALS',
    'AZURE_TENANT_ID',
    'AZURE_CLIENT_ID',
    'AZURE_CLIENT_SECRET',
    'AZURE_CLIENT_CERTIFICATE_PATH',
  ],
  ...[
    'AZURE_FEDERATED_TOKEN_FILE',
    'AZURE_AUTHORITY_HOST',
    'VAULT_ADDR',
    'VAULT_TOKEN',
    'VAULT_NAMESPACE',
    'VAULT_CACERT',
  ],
  ...['TRANSIT_SECRET_ENGINE_PATH', 'GITLAB_HOST', 'GITLAB_TOKEN', 'KUBECONFIG'],
];

/**
 * The environment of one signature. The variables that the settings name are read here and nowhere else; a `config`
 * failure when one is missing, or when there is neither a key nor an identity.
 */
export function signingEnvironment(
  signing: SigningInput,
  ours: Readonly<Record<string, string | undefined>> = process.env,
): Result<Readonly<Record<string, string>>, ConfigFailure> {
  // Set even when it is empty: without it cosign asks for a password.
  const password = { COSIGN_PASSWORD: ours['COSIGN_PASSWORD'] ?? '' };
  if (signing.key !== undefined) {
    const name = /^env:\/\/(.+)$/s.exec(signing.key)?.[1];
    if (name === undefined) return ok(password);
    const value = ours[name];
    if (value === undefined || value === '') {
      return fail(
        configFailure(
          `signing.key names the environment variable ${name}, which is not set`,
          `set ${name} to the private key, PEM`,
        ),
      );
    }
    return ok({ ...password, [name]: value });
  }
  if (signing.identityTokenEnv !== undefined) {
    const token = ours[signing.identityTokenEnv];
    if (token === undefined || token === '') {
      const message = `signing.identityTokenEnv names the environment variable ${signing.identityTokenEnv}, which is not set`;
      return fail(configFailure(message, 'set it to an OIDC token whose audience is "sigstore"'));
    }
    return ok({ SIGSTORE_ID_TOKEN: token });
  }
  if (AMBIENT.some((name) => (ours[name] ?? '') !== '') || AMBIENT_FILES.some((file) => existsSync(file)))
    return ok({});
  const hint =
    'set signing.key, or run where an identity is at hand: in GitHub Actions that needs "permissions: id-token: write"';
  return fail(configFailure('there is neither a signing key nor an identity to sign with', hint));
}
