/** The world itself is right: real tools see in it what the other real tests rely on. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { alpineImage, AMD64 } from '../demo/world/images.ts';
import { imageLayout } from '../demo/world/image.ts';
import {
  cosign,
  crane,
  freshFolder,
  freshPath,
  freshPrefix,
  identityToken,
  push,
  root,
  skopeo,
  tool,
  world,
} from './world.ts';

interface ScanReport {
  readonly Results?: readonly {
    readonly Vulnerabilities?: readonly {
      readonly VulnerabilityID: string;
      readonly Severity: string;
      readonly FixedVersion?: string;
    }[];
  }[];
}

/** The findings of one platform, as `leaky CRITICAL 1.0.1-r0`. */
async function findings(reference: string, platform: string): Promise<readonly string[]> {
  const cache = await freshFolder();
  const shared = ['--cache-dir', cache, '--quiet', '--db-repository', world().database];
  expect(await tool('trivy', ['image', ...shared, '--download-db-only'])).toMatchObject({ code: 0 });
  const offline = [
    '--skip-db-update',
    '--skip-java-db-update',
    '--skip-check-update',
    '--skip-version-check',
    '--offline-scan',
  ];
  const how = ['--scanners', 'vuln', '--image-src', 'remote', '--format', 'json', '--platform', platform];
  const output = await tool('trivy', ['image', ...shared, ...offline, ...how, reference]);
  expect(output).toMatchObject({ code: 0 });
  const report = JSON.parse(output.stdout) as ScanReport;
  const found = (report.Results ?? []).flatMap((result) => result.Vulnerabilities ?? []);
  return found
    .map(({ VulnerabilityID, Severity, FixedVersion }) => `${VulnerabilityID} ${Severity} ${FixedVersion ?? '-'}`)
    .toSorted();
}

/** Builds an apko config in a folder of its own; the index digest. */
async function apko(config: string, below: string): Promise<{ readonly folder: string; readonly digest: string }> {
  const folder = join(await freshFolder(), below);
  await mkdir(join(folder, 'out'), { recursive: true });
  await copyFile(join(root, config), join(folder, 'apko.yaml'));
  const output = await tool('apko', ['build', '--sbom-path', '.', 'apko.yaml', 'image:latest', 'out'], { cwd: folder });
  expect(output, output.stderr).toMatchObject({ code: 0 });
  const index = await readFile(join(folder, 'out', 'index.json'));
  return { folder, digest: `sha256:${createHash('sha256').update(index).digest('hex')}` };
}

/** A statement that cosign takes for a signature of `digest`. */
function statement(digest: string): string {
  return JSON.stringify({
    _type: 'https://in-toto.io/Statement/v1',
    subject: [{ digest: { sha256: digest.replace('sha256:', '') } }],
    predicateType: 'https://sigstore.dev/cosign/sign/v1',
    predicate: {},
  });
}

describe('source images', () => {
  test('crane and skopeo read both platforms', async () => {
    const reference = `${world().source.host}/library/alpine:3.20`;
    const digest = world().images['library/alpine:3.20'];
    expect((await crane('digest', reference)).stdout.trim()).toBe(digest);
    expect(await crane('validate', '--remote', reference)).toMatchObject({ code: 0 });
    const index = JSON.parse(
      (await skopeo('inspect', '--tls-verify=false', '--raw', `docker://${reference}`)).stdout,
    ) as {
      readonly manifests: readonly { readonly platform: { readonly architecture: string } }[];
    };
    expect(index.manifests.map(({ platform }) => platform.architecture)).toEqual(['amd64', 'arm64']);
  });

  test('config.yaml pins the digest that the world has', async () => {
    const config = await readFile(join(root, 'config.yaml'), 'utf8');
    expect(config).toContain(`/library/busybox:1.36@${world().images['library/busybox:1.36']}`);
  });

  test('a registry as ghcr.io is: no referrers API', async () => {
    const { images, source } = world();
    const url = `http://${source.host}/v2/library/alpine/referrers/${images['library/alpine:3.20']}`;
    expect((await fetch(url)).status).toBe(404);
  });
});

test('the other registry has the referrers API', async () => {
  const host = world().referrers?.host;
  const path = freshPath('referrers');
  const digest = await push(imageLayout([alpineImage(AMD64, [], 'referrers')]), `${host}/${path}:1`);
  const answer = await fetch(`http://${host}/v2/${path}/referrers/${digest}`);
  expect(answer.status).toBe(200);
  expect(await answer.json()).toMatchObject({ mediaType: 'application/vnd.oci.image.index.v1+json', manifests: [] });
});

describe('the Alpine repository', () => {
  test('apko builds hello from two folders to one digest, with no path and no port inside', async () => {
    const [one, two] = [
      await apko('images/hello/apko.yaml', '.'),
      await apko('images/hello/apko.yaml', 'another/place'),
    ];
    expect(two.digest).toBe(one.digest);
    const prefix = freshPrefix('hello');
    expect(await crane('push', '--index', join(one.folder, 'out'), `${prefix}:1`)).toMatchObject({ code: 0 });
    const files = await tool('crane', ['export', '--platform', 'linux/amd64', `${prefix}:1`, '-']);
    // Asked one by one: a failure must not print the whole image.
    const holds = (part: string): boolean => files.stdout.includes(part);
    expect(holds('http://apk.slipway.example/v3.20/main')).toBe(true);
    expect(holds(world().proxy)).toBe(false);
    expect(holds(one.folder)).toBe(false);
  });

  test('the proxy answers conditional requests, and reaches nothing else', async () => {
    const index = 'http://apk.slipway.example/v3.20/main/x86_64/APKINDEX.tar.gz';
    const asked = (...headers: readonly string[]) =>
      tool('curl', ['-s', '-o', '/dev/null', '-D', '-', ...headers, index]);
    const etag = /^etag: (.*)$/m.exec((await asked()).stdout)?.[1]?.trim();
    expect((await asked('-H', `If-None-Match: ${etag}`)).stdout).toContain('304 Not Modified');
    expect((await asked('-H', 'If-None-Match: "other"')).stdout).toContain('200 OK');
    expect(
      (await tool('curl', ['-s', '-o', '/dev/null', '-w', '%{http_code}', 'http://elsewhere.example/'])).stdout,
    ).toBe('502');
  });
});

describe('the vulnerability database', () => {
  test('trivy finds the fixable CRITICAL in an image with leaky', async () => {
    const { folder } = await apko('demo/images/leaky/apko.yaml', '.');
    const prefix = freshPrefix('leaky');
    await crane('push', '--index', join(folder, 'out'), `${prefix}:1`);
    expect(await findings(`${prefix}:1`, 'linux/amd64')).toEqual(['CVE-2026-10001 CRITICAL 1.0.1-r0']);
    expect(await findings(`${prefix}:1`, 'linux/arm64')).toEqual(['CVE-2026-10001 CRITICAL 1.0.1-r0']);
  });

  test('hello has a HIGH that nobody has fixed, and the source images a LOW', async () => {
    const { folder } = await apko('images/hello/apko.yaml', '.');
    const prefix = freshPrefix('hello');
    await crane('push', '--index', join(folder, 'out'), `${prefix}:1`);
    expect(await findings(`${prefix}:1`, 'linux/amd64')).toEqual(['CVE-2026-10002 HIGH -']);
    expect(await findings(`${world().source.host}/library/alpine:3.20`, 'linux/arm64')).toEqual([
      'CVE-2026-10003 LOW 1.2.5-r1',
    ]);
  });
});

describe('signing', () => {
  test('cosign signs and verifies by key, offline; another key does not verify', async () => {
    const { keys } = world();
    const prefix = freshPrefix('signed');
    const digest = await push(imageLayout([alpineImage(AMD64, [], 'signed')]), `${prefix}:1`);
    const trust = ['--signing-config', keys.signingConfig, '--trusted-root', keys.trustedRoot];
    const signed = await cosign(['sign', '--yes', '--key', keys.scratch.key, ...trust, `${prefix}@${digest}`]);
    expect(signed, signed.stderr).toMatchObject({ code: 0 });
    const verify = (key: string) => cosign(['verify', '--insecure-ignore-tlog', '--key', key, `${prefix}@${digest}`]);
    expect(await verify(keys.scratch.publicKey)).toMatchObject({ code: 0 });
    expect((await verify(keys.foreign.publicKey)).code).not.toBe(0);
    expect((await verify(keys.production.publicKey)).code).not.toBe(0);
  });

  test('keyless: the identity verifies, a wrong one is refused', async () => {
    const keyless = world().keyless;
    const folder = await freshFolder();
    await writeFile(join(folder, 'image'), 'an image');
    const digest = createHash('sha256').update('an image').digest('hex');
    await writeFile(join(folder, 'statement.json'), statement(digest));
    const trust = ['--trusted-root', keyless?.trustedRoot ?? ''];
    const files = [
      '--statement',
      'statement.json',
      '--bundle',
      'bundle.json',
      '--signing-config',
      keyless?.signingConfig ?? '',
    ];
    const env = { SIGSTORE_ID_TOKEN: await identityToken('release@slipway.example') };
    const signed = await cosign(['attest-blob', '--yes', ...files, ...trust], { cwd: folder, env });
    expect(signed, signed.stderr).toMatchObject({ code: 0 });

    const ignore = ['--use-signed-timestamps', '--insecure-ignore-tlog', '--insecure-ignore-sct'];
    const type = [
      '--type',
      'https://sigstore.dev/cosign/sign/v1',
      '--bundle',
      'bundle.json',
      '--certificate-oidc-issuer',
      keyless?.issuer ?? '',
    ];
    const verify = (email: string) =>
      cosign(['verify-blob-attestation', ...ignore, ...trust, ...type, '--certificate-identity', email, 'image'], {
        cwd: folder,
      });
    const right = await verify('release@slipway.example');
    expect(right, right.stderr).toMatchObject({ code: 0 });
    const wrong = await verify('somebody@else.example');
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr).toContain('release@slipway.example');
  });
});
