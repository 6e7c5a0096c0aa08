/**
 * policy.json and registries.d of podman, CRI-O, buildah and skopeo. They read only the legacy tags, and those only where
 * registries.d says so.
 * https://github.com/containers/container-libs/blob/main/image/docs/containers-policy.json.5.md
 * https://github.com/containers/container-libs/blob/main/image/docs/containers-registries.d.5.md
 */
import { stringify } from 'yaml';
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../../failure.ts';
import {
  formatOf,
  identitiesOf,
  keysOf,
  repositoryNames,
  type ExportInput,
  type ExportResult,
  type IdentityAccept,
} from './model.ts';

/** Where the administrator puts what Fulcio and Rekor publish; the policy cannot carry a root that it does not know. */
const CA = '/etc/containers/fulcio.pem';
const REKOR = '/etc/containers/rekor.pub';
/** Signatures name a repository and never a tag. */
const IDENTITY = { type: 'matchRepository' };

export function exportContainers({ signing, repositories }: ExportInput): ExportResult {
  if (formatOf(signing) === 'bundle') {
    return fail(
      configFailure(
        'podman, CRI-O, buildah and skopeo (containers/image) cannot read Sigstore bundles: this policy would refuse every image',
        'set signing.format: both (or legacy), run again so that the .sig tags are there, and export then',
      ),
    );
  }
  const requirement = requirementFor(
    signing.signer.kind === 'key' ? keysOf(signing).map(({ publicKey }) => publicKey) : identitiesOf(signing),
  );
  if (!requirement.ok) return requirement;
  const names = repositoryNames(repositories);
  const policy = {
    default: [{ type: 'insecureAcceptAnything' }],
    transports: { docker: Object.fromEntries(names.map((name) => [name, [requirement.value]])) },
  };
  const registries = { docker: Object.fromEntries(names.map((name) => [name, { 'use-sigstore-attachments': true }])) };
  const dropped = signing.signer.kind === 'key' ? identitiesOf(signing).length : keysOf(signing).length;
  const notes = [
    'images that it does not name are accepted as before; set "default" to reject to allow nothing else',
    ...(signing.signer.kind === 'identity'
      ? [`put the certificates of the Fulcio instance into ${CA}, and Rekor's public key into ${REKOR}`]
      : []),
    ...('keyDatas' in requirement.value ? ['several keys need podman 5.4 or later'] : []),
    ...(dropped > 0
      ? [
          'accepted signers of another kind than the present one are left out: all requirements of a repository must hold at once',
        ]
      : []),
  ];
  return ok({
    files: [
      { path: '/etc/containers/policy.json', content: `${JSON.stringify(policy, null, 2)}\n` },
      { path: '/etc/containers/registries.d/slipway.yaml', content: stringify(registries, { lineWidth: 0 }) },
    ],
    documents: [policy, registries],
    notes,
  });
}

function requirementFor(
  signers: readonly string[] | readonly IdentityAccept[],
): Result<Readonly<Record<string, unknown>>, ConfigFailure> {
  const [first] = signers;
  if (typeof first === 'string') {
    const keys = signers.flatMap((key) => (typeof key === 'string' ? Buffer.from(key).toString('base64') : []));
    const named = keys.length === 1 ? { keyData: keys[0] } : { keyDatas: keys };
    return ok({ type: 'sigstoreSigned', ...named, signedIdentity: IDENTITY });
  }
  const { issuer, subject } = first ?? {};
  if (
    issuer !== undefined &&
    subject !== undefined &&
    'exact' in issuer &&
    'exact' in subject &&
    isMail(subject.exact)
  ) {
    const fulcio = { caPath: CA, oidcIssuer: issuer.exact, subjectEmail: subject.exact };
    return ok({ type: 'sigstoreSigned', fulcio, rekorPublicKeyPath: REKOR, signedIdentity: IDENTITY });
  }
  return fail(
    configFailure(
      'containers/image accepts an identity only by its exact issuer and e-mail address, never by a pattern or a workflow',
      'sign with a key for these consumers, or with an identity that has an address',
    ),
  );
}

function isMail(subject: string): boolean {
  return /^[^@\s:/]+@[^@\s:/]+$/.test(subject);
}
