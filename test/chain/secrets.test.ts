/** Secrets stay where they belong: canaries in every place that knows one, looked for in everything that comes out. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { cosign, freshPath, world, writeFiles } from '../world.ts';
import { HELLO, project } from './project.ts';
import { digestOf, source } from './shorthand.ts';
import { watch } from './watching-proxy.ts';

/** Every command line of the machine while it is asked; `stop` gives those that hold a canary. */
function watchArguments(canaries: readonly string[]): { readonly stop: () => Promise<readonly string[]> } {
  const found = new Set<string>();
  const seen = new Set<string>();
  let stopped = false;
  const watching = (async () => {
    while (!stopped) {
      const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
      const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
      for (const line of lines) {
        seen.add(line.split('\0')[0] ?? '');
        if (canaries.some((canary) => line.includes(canary))) found.add(line.replaceAll('\0', ' '));
      }
      await sleep(5);
    }
  })();
  return {
    async stop() {
      stopped = true;
      await watching;
      // It must have looked while tools ran, or it proves nothing.
      for (const tool of ['cosign', 'trivy', 'apko'])
        expect(
          [...seen].some((path) => path.endsWith(`/${tool}`)),
          tool,
        ).toBe(true);
      return [...found];
    },
  };
}

async function filesBelow(folder: string): Promise<ReadonlyMap<string, Buffer>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(await Promise.all(files.map(async (file) => [file, await readFile(file)] as const)));
}

test('no canary in output, journal, files or arguments, even when a tool fails; none goes to another host', async () => {
  const secret = (name: string): string => `canary-${name}-${crypto.randomUUID()}`;
  const [keyPassword, registryPassword, githubToken] = [secret('key'), secret('registry'), secret('github')];
  const authorization = Buffer.from(`robot:${registryPassword}`).toString('base64');
  const canaries = [keyPassword, registryPassword, githubToken, authorization];

  const [from, destination] = [await watch(world().source.host), await watch(world().destination.host)];
  destination.intercept(({ headers }) =>
    headers.authorization === `Basic ${authorization}`
      ? undefined
      : { status: 401, headers: { 'www-authenticate': 'Basic realm="registry"' } },
  );
  const { keys } = world();
  const image = await source('canary');
  const [synced, built] = [freshPath('canary'), freshPath('canary')];
  const one = await project({
    sync: [{ source: `hub.slipway.example/${image.path}:1`, destination: `${destination.host}/${synced}:1` }],
    build: [{ source: `./${HELLO}`, destination: `${destination.host}/${built}:1` }],
    settings: {
      mirrors: [{ source: 'hub.slipway.example', mirror: from.host, trusted: true }],
      signing: {
        key: './own.key',
        publicKey: './own.pub',
        signingConfig: keys.signingConfig,
        trustedRoot: keys.trustedRoot,
      },
    },
  });
  await writeFiles(one.folder, {
    'docker/config.json': JSON.stringify({ auths: { [destination.host]: { auth: authorization } } }),
  });
  const made = await cosign(['generate-key-pair', '--output-key-prefix', 'own'], {
    cwd: one.folder,
    env: { COSIGN_PASSWORD: keyPassword },
  });
  expect(made.code, made.stderr).toBe(0);

  const env = { COSIGN_PASSWORD: keyPassword, GITHUB_TOKEN: githubToken, DOCKER_CONFIG: join(one.folder, 'docker') };
  const argv = watchArguments(canaries);
  const ran = await one.runWith({ env }, 'run', '--progress', 'plain');
  const again = await one.runWith({ env }, 'scan', '--progress', 'json');
  // A tool that fails is quoted: cosign with a password that opens nothing.
  const wrongPassword = secret('wrong');
  const failing = { ...env, COSIGN_PASSWORD: wrongPassword };
  await one.change({
    sync: [{ source: `hub.slipway.example/${image.path}:1`, destination: `${destination.host}/${synced}-2:1` }],
  });
  const failed = await one.runWith({ env: failing }, 'run', '--progress', 'plain');
  expect(await argv.stop()).toEqual([]);
  expect([ran.code, again.code, failed.code], ran.stdout + again.stdout).toEqual([0, 0, 1]);
  expect(await digestOf(`${world().destination.host}/${synced}:1`)).toBe(image.digest);

  for (const canary of [...canaries, wrongPassword]) {
    for (const { stdout, stderr } of [ran, again, failed]) {
      expect(stdout).not.toContain(canary);
      expect(stderr).not.toContain(canary);
    }
    for (const [file, content] of await filesBelow(join(one.folder, '.slipway'))) {
      expect(content.includes(canary), `${file} holds a secret`).toBe(false);
    }
  }
  expect(from.requests.length).toBeGreaterThan(0);
  expect(from.requests.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
});
