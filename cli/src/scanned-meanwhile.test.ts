/** A scan by somebody else, while an image is scanned or its attachments are carried elsewhere, at a registry that keeps lists by tags. */
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { expect, it, onTestFinished } from 'vitest';
import { ownSettings, ownSigner } from '../own-signer.ts';
import { command, folderWith } from '../testing.ts';

const SCAN = 'https://cosign.sigstore.dev/attestation/vuln/v1';

interface List {
  readonly manifests: readonly { readonly annotations: Readonly<Record<string, string>> }[];
}

/** An image is published by one checkout; another one, of the same signer, can scan it just before its list is read. */
async function published() {
  const registry = await startScriptedRegistry();
  onTestFinished(() => registry.close());
  const { digest } = seedImage(registry, 'from', 'one', { tag: '1' });
  const list = digest.replace(':', '-');
  const files = { ...ownSigner(), 'slipway.config.yaml': ownSettings() };
  const checkout = (...copies: readonly (readonly [from: string, to: string])[]): string => {
    const entries = copies.map(
      ([from, to]) => `  - { source: '${registry.host}/${from}:1', destination: '${registry.host}/${to}:1' }\n`,
    );
    return folderWith({ ...files, 'config.yaml': `sync:\n${entries.join('')}` });
  };
  const [cwd, other] = [checkout(['from', 'a']), checkout(['from', 'a'])];
  const done = async (folder: string, name: string): Promise<void> => {
    const { code, stdout, stderr } = await command({ cwd: folder }, name);
    expect(code, stdout + stderr).toBe(0);
  };
  await done(cwd, 'run');
  return {
    checkout,
    cwd,
    done,
    scans(): readonly (string | undefined)[] {
      const text = new TextDecoder().decode(registry.manifest('a', list)?.bytes);
      return (JSON.parse(text) as List).manifests.flatMap(({ annotations }) =>
        Object.values(annotations).includes(SCAN) ? [annotations['org.opencontainers.image.created']] : [],
      );
    },
    /** Calls `then` after the scan. */
    scanBefore(read: number, then = (): void => {}): void {
      let reads = 0;
      const hook: typeof registry.onRequest = async ({ method, path }) => {
        if (method !== 'GET' || path !== `/v2/a/manifests/${list}`) return undefined;
        reads += 1;
        if (reads !== read) return undefined;
        registry.onRequest = undefined;
        await done(other, 'scan');
        then();
        return undefined;
      };
      registry.onRequest = hook;
    },
  };
}

it('a scan that is attached late takes the place of older ones, and not of one that was made since', async () => {
  const { cwd, done, scans, scanBefore } = await published();
  let newest: string | undefined;
  // The probe, the scan, the signature; then it is attached.
  scanBefore(4, () => void ([newest] = scans()));
  await done(cwd, 'scan');
  expect(scans()).toHaveLength(2);
  expect(scans()).toContain(newest);
  await done(cwd, 'scan');
  expect(scans()).toHaveLength(1);
});

it.each([1, 2, 3, 4])(
  'what is carried elsewhere is whole, also when its scan is renewed before its list is read (%d)',
  async (read) => {
    const { checkout, done, scanBefore } = await published();
    scanBefore(read);
    const cwd = checkout(['from', 'a'], ['a', 'b']);
    await done(cwd, 'run');
    expect((await command({ cwd }, 'verify')).code).toBe(0);
  },
);
