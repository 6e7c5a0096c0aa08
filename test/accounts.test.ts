/** Several accounts at one registry, by repository: the client and the real tools come as who the settings say. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createCredentials } from '../core/src/registry/credentials.ts';
import { client, must, reference } from '../core/src/registry/test-client.ts';
import { seedImage, startScriptedRegistry } from '../core/src/testing/index.ts';
import { freshFolder, tool } from './world.ts';

test('a tool finds the account of a repository in the config that is written for it, and else the host’s', async () => {
  await using server = await startScriptedRegistry({
    onRequest: ({ headers }) =>
      headers.authorization === undefined
        ? { kind: 'answer', status: 401, headers: { 'www-authenticate': 'Basic realm="for tests"' } }
        : undefined,
  });
  const repositories = ['team-a/app', 'other/app'].map((path) => ({ registry: server.host, path }));
  for (const { path } of repositories) seedImage(server, path, 'one', { tag: '1' });
  const credentials = createCredentials({
    env: { U: 'host', P: 'one', TEAM_U: 'team', TEAM_P: 'two' },
    home: '/nowhere',
    runHelper: async () => ({ ok: true, value: { exitCode: 1, stdout: 'credentials not found' } }),
    accounts: [
      { match: server.host, login: { kind: 'env', usernameEnv: 'U', passwordEnv: 'P' } },
      { match: `${server.host}/team-a`, login: { kind: 'env', usernameEnv: 'TEAM_U', passwordEnv: 'TEAM_P' } },
    ],
  });
  const folder = await freshFolder();
  const config = await credentials.dockerConfigFor([server.host], repositories);
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
  const env = { DOCKER_CONFIG: folder, REGISTRY_AUTH_FILE: join(folder, 'config.json') };
  await using registry = client({ credentials });
  const asks: Readonly<Record<string, (image: string) => Promise<unknown>>> = {
    slipway: async (image) => must(await registry.head(reference(image), 'source')),
    crane: (image) => tool('crane', ['manifest', image], { env }),
    cosign: (image) => tool('cosign', ['triangulate', '--allow-http-registry', image], { env }),
    skopeo: (image) => tool('skopeo', ['inspect', '--raw', '--tls-verify=false', `docker://${image}`], { env }),
  };
  for (const [name, ask] of Object.entries(asks)) {
    for (const [path, who] of [
      ['team-a/app', 'team'],
      ['other/app', 'host'],
    ] as const) {
      const before = server.log.length;
      await ask(`${server.host}/${path}:1`);
      const came = server.log.slice(before).flatMap(({ headers }) => headers.authorization ?? []);
      const names = came.map((header) => Buffer.from(header.slice('Basic '.length), 'base64').toString().split(':')[0]);
      expect({ name, path, came: [...new Set(names)] }).toEqual({ name, path, came: [who] });
    }
  }
});
