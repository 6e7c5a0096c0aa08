/**
 * The ClusterImagePolicy of Sigstore's policy-controller. Without `signatureFormat: bundle` it looks for the legacy tags;
 * with it, only identities are supported (`checkOptsFromAuthority` in v0.15).
 * https://docs.sigstore.dev/policy-controller/overview/
 */
import { keyHash } from '../../trust/key-hash.ts';
import { stringify } from 'yaml';
import { configFailure, fail, ok } from '../../failure.ts';
import {
  formatOf,
  identitiesOf,
  identityFields,
  keysOf,
  repositoryNames,
  type ExportInput,
  type ExportResult,
} from './model.ts';

const FULCIO = 'https://fulcio.sigstore.dev';

export function exportPolicyController({ signing, repositories }: ExportInput): ExportResult {
  const format = formatOf(signing);
  const [keys, identities] = [keysOf(signing), identitiesOf(signing)];
  if (format === 'bundle' && signing.signer.kind === 'key') {
    return fail(
      configFailure(
        'policy-controller cannot verify bundles that were made with a key: such a policy would admit nothing',
        'set signing.format: both, run again, and export then; or sign keyless',
      ),
    );
  }
  const trustRootRef = signing.trustedRoot === undefined ? {} : { trustRootRef: 'slipway' };
  const known = format === 'bundle' ? [] : keys;
  const authorities = [
    ...known.map((key, at) => ({
      name: `key-${at + 1}`,
      key: { data: key.publicKey, hashAlgorithm: keyHash(key) },
      signatureFormat: 'legacy',
    })),
    ...(identities.length === 0
      ? []
      : [
          {
            name: 'identities',
            keyless: { url: FULCIO, ...trustRootRef, identities: identities.map(identityFields) },
            signatureFormat: format === 'legacy' ? 'legacy' : 'bundle',
          },
        ]),
  ];
  const policy = {
    apiVersion: 'policy.sigstore.dev/v1beta1',
    kind: 'ClusterImagePolicy',
    metadata: { name: 'slipway-signed-images' },
    spec: {
      mode: 'enforce',
      images: repositoryNames(repositories)
        .map(inItsOwnWords)
        .flatMap((name) => [{ glob: `${name}:*` }, { glob: `${name}@*` }]),
      authorities,
    },
  };
  const notes = [
    ...(format === 'legacy' || identities.length === 0 ? [] : ['bundles need policy-controller 0.13 or later']),
    ...(known.length < keys.length
      ? ['accepted keys are left out: policy-controller verifies no bundle that was made with a key']
      : []),
    ...(signing.trustedRoot === undefined || identities.length === 0
      ? []
      : ['make a TrustRoot named "slipway" of signing.trustedRoot first']),
    'only namespaces labelled policy.sigstore.dev/include=true are checked',
  ];
  return ok({
    files: [{ path: 'slipway-signed-images.yaml', content: stringify(policy, { lineWidth: 0 }) }],
    documents: [policy],
    notes,
  });
}

/** It knows Docker Hub by another host, and matches the whole name. */
function inItsOwnWords(name: string): string {
  return name.startsWith('docker.io/') ? `index.${name}` : name;
}
