/**
 * Kyverno's ClusterPolicy. `type` decides what is looked for: `Cosign` sees only the legacy tags, `SigstoreBundle` only
 * referrers; the wrong one refuses everything that is signed, or, where it only audits, reports nothing anybody reads.
 * https://kyverno.io/docs/policy-types/cluster-policy/verify-images/sigstore
 */
import { stringify } from 'yaml';
import { ok } from '../../failure.ts';
import type { Accept } from '../../config/settings-model.ts';
import { keyHash } from '../../trust/key-hash.ts';
import {
  formatOf,
  identityFields,
  identitiesOf,
  keysOf,
  repositoryNames,
  type ExportInput,
  type ExportResult,
} from './model.ts';

export function exportKyverno({ signing, repositories }: ExportInput): ExportResult {
  const format = formatOf(signing);
  const type = format === 'legacy' ? 'Cosign' : 'SigstoreBundle';
  const policy = {
    apiVersion: 'kyverno.io/v1',
    kind: 'ClusterPolicy',
    metadata: { name: 'slipway-signed-images' },
    spec: {
      background: false,
      webhookConfiguration: { failurePolicy: 'Fail', timeoutSeconds: 30 },
      rules: [
        {
          name: 'signed-by-slipway',
          match: { any: [{ resources: { kinds: ['Pod'] } }] },
          verifyImages: [
            {
              type,
              // A tag and a digest are both written after the repository, and `*` must not reach into a longer name.
              imageReferences: repositoryNames(repositories).flatMap((name) => [`${name}:*`, `${name}@*`]),
              failureAction: 'Enforce',
              required: true,
              mutateDigest: true,
              verifyDigest: true,
              attestors: [{ count: 1, entries: signing.accept.map(entryOf) }],
            },
          ],
        },
      ],
    },
  };
  const notes = notesOf(
    type,
    keysOf(signing).length > 0,
    identitiesOf(signing).length > 0,
    signing.trustedRoot !== undefined,
  );
  return ok({
    files: [{ path: 'slipway-signed-images.yaml', content: stringify(policy, { lineWidth: 0 }) }],
    documents: [policy],
    notes,
  });
}

/** With a key there is no log: both must be ignored, or Kyverno waits for entries that nobody made. */
function entryOf(accept: Accept): unknown {
  if (accept.kind === 'identity') return { keyless: identityFields(accept) };
  return {
    keys: {
      publicKeys: accept.publicKey,
      signatureAlgorithm: keyHash(accept),
      rekor: { ignoreTlog: true },
      ctlog: { ignoreSCT: true },
    },
  };
}

function notesOf(type: string, keys: boolean, identities: boolean, ownRoot: boolean): readonly string[] {
  const bundles = type === 'SigstoreBundle';
  return [
    ...(bundles && keys
      ? [
          'bundles made with a key need Kyverno 1.19 or later; before, use signing.format: both or legacy, and export again with legacy',
        ]
      : []),
    ...(bundles && !keys ? ['bundles need Kyverno 1.13 or later'] : []),
    ...(identities && ownRoot
      ? ['signing.trustedRoot is not the public one: Kyverno must be started with the TUF repository that serves it']
      : []),
  ];
}
