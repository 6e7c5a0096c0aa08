/** The cosign commands with which anybody can check what Slipway published, without Slipway. */
import type { Signing } from '../config/settings-model.ts';
import { keyHash } from '../trust/key-hash.ts';

/** `publicKeyFile`: where the reader has the key; commands are for a POSIX shell. */
export function cosignCommands(
  image: { readonly destination: string; readonly digest: string | null },
  signing: Signing,
): readonly string[] {
  const reference = `${withoutTag(image.destination)}@${image.digest ?? ''}`;
  const who = cosignFlags(signing);
  return [
    `cosign verify ${who} ${reference}`,
    ...['https://spdx.dev/Document', 'https://cosign.sigstore.dev/attestation/vuln/v1'].map(
      (type) => `cosign verify-attestation --type ${type} ${who} ${reference}`,
    ),
  ];
}

function withoutTag(destination: string): string {
  const colon = destination.lastIndexOf(':');
  return colon > destination.lastIndexOf('/') ? destination.slice(0, colon) : destination;
}

/** What makes `cosign verify` believe this signer and nobody else. */
export function cosignFlags({ signer, trustedRoot, publicKeyFile }: Signing): string {
  const root = trustedRoot === undefined ? '' : ` --trusted-root ${quote(trustedRoot)}`;
  if (signer.kind === 'key') {
    const hash = keyHash(signer);
    const flag = hash === 'sha256' ? '' : ` --signature-digest-algorithm ${hash}`;
    return `--key ${quote(publicKeyFile ?? 'cosign.pub')}${flag} --insecure-ignore-tlog=true`;
  }
  const flag = (name: string, rule: { readonly exact: string } | { readonly pattern: string }): string =>
    'exact' in rule
      ? `--certificate-${name} ${quote(rule.exact)}`
      : `--certificate-${name}-regexp ${quote(rule.pattern)}`;
  return `${flag('identity', signer.subject)} ${flag('oidc-issuer', signer.issuer)}${root}`;
}

const FLAG =
  /--(?:key|signature-digest-algorithm|certificate-(?:identity|oidc-issuer)(?:-regexp)?|trusted-root) (?:[A-Za-z0-9_./:@=+-]+|(?:'[^']*'|\\')+)/;
const FLAGS = new RegExp(
  `^(?:${FLAG.source}|--insecure-ignore-tlog=true)(?: (?:${FLAG.source}|--insecure-ignore-tlog=true))*$`,
);

/** Whether a text from elsewhere is what {@link cosignFlags} could have made, and does nothing else in a shell. */
export function areCosignFlags(text: string): boolean {
  return FLAGS.test(text);
}

/** For a POSIX shell: nothing in it is special. */
export function quote(text: string): string {
  return /^[A-Za-z0-9_./:@=+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
