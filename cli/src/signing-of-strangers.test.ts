/** What is signed and believed of images that somebody else put there. */
import { seedImage, startScriptedRegistry } from '@slipway/core/testing';
import { expect, it } from 'vitest';
import { ownSettings, ownSigner } from '../own-signer.ts';
import { command, folderWith } from '../testing.ts';

interface Answered {
  readonly entries: readonly { readonly digest: string; readonly signed: boolean; readonly why: string }[];
}

it.each(['bundle', 'legacy', 'both'] as const)(
  'scan signs nothing of an image that is not signed (%s)',
  async (format) => {
    await using source = await startScriptedRegistry();
    await using destination = await startScriptedRegistry();
    const ours = seedImage(source, 'a', 'ours', { tag: '1' });
    const cwd = folderWith({
      ...ownSigner(),
      'config.yaml': `sync: [{ source: '${source.host}/a:1', destination: '${destination.host}/a:1' }]\n`,
      'slipway.config.yaml': ownSettings(format),
    });
    const run = async (name: string) => {
      const ran = await command({ cwd }, name, '--json');
      expect(ran.code, ran.stdout + ran.stderr).toBe(0);
      return (JSON.parse(ran.stdout) as Answered).entries[0];
    };
    expect(await run('run')).toMatchObject({ digest: ours.digest, signed: true });

    const theirs = seedImage(destination, 'a', 'theirs', { tag: '1' });
    const since = destination.log.length;
    const scanned = await run('scan');
    expect(scanned).toMatchObject({ digest: theirs.digest, signed: false });
    expect(scanned?.why).toContain('no signature of ours');
    expect(destination.log.slice(since).filter(({ method }) => method !== 'GET' && method !== 'HEAD')).toEqual([]);

    expect(await run('run')).toMatchObject({ digest: ours.digest, signed: true });
    const before = destination.log.length;
    expect(await run('scan')).toMatchObject({ digest: ours.digest, signed: true });
    expect(destination.log.slice(before).some(({ method }) => method === 'PUT')).toBe(true);
  },
);

it('an identity whose signature shows no time is not known to be old, whatever the image says of itself', async () => {
  await using source = await startScriptedRegistry();
  await using destination = await startScriptedRegistry();
  const config = JSON.stringify({ os: 'linux', architecture: 'amd64', created: '2020-01-01T00:00:00Z' });
  const type = 'application/vnd.oci.image.config.v1+json';
  const described = { mediaType: type, digest: source.putBlob('a', config), size: config.length };
  source.putManifest('a', { schemaVersion: 2, config: described, layers: [] }, '1');
  const verify = 'verify: { issuer: https://issuer.example, subject: someone, minAge: 7d }';
  const cwd = folderWith({
    ...ownSigner(),
    'config.yaml': `sync: [{ source: '${source.host}/a:1', destination: '${destination.host}/a:1', ${verify} }]\n`,
    'slipway.config.yaml': ownSettings('bundle'),
  });
  const ran = await command({ cwd }, 'run', '--json');
  expect(ran.code, ran.stdout).toBe(1);
  expect(ran.stdout).toContain('nothing says when');
  expect(destination.log.filter(({ method }) => method === 'PUT')).toEqual([]);
});
