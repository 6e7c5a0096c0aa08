import type { BuildEntry } from '@slipway/core';
import { describe, expect, it } from 'vitest';
import { cachePattern, findCaches, type CacheUse } from './caches.ts';

const platforms = [
  { os: 'linux', architecture: 'arm', variant: 'v7' },
  { os: 'linux', architecture: 'amd64' },
];
const use: CacheUse = { entry: { source: 'images/App_1/Dockerfile' } as BuildEntry, platforms, noCache: false };
const found = (
  options: { readonly cacheFrom?: readonly string[]; readonly cacheTo?: readonly string[]; readonly noCache?: boolean },
  changes: Partial<CacheUse> = {},
  env: Readonly<Record<string, string>> = {},
) => findCaches({ cacheFrom: [], cacheTo: [], noCache: false, ...options }, '/the, root', { ...use, ...changes }, env);
const messageOf = (spec: string) => {
  const result = found({ cacheTo: [spec] });
  return result.ok ? '' : `${result.failure.reason}: ${result.failure.message} ${result.failure.hint ?? ''}`;
};

describe('caches', () => {
  it('are one argument each, and name the registries whose credentials they need', () => {
    expect(
      found({
        cacheFrom: ['type=registry,ref=r.example:5000/cache:{source}', 'type=gha,scope={source}-{platform}'],
        cacheTo: ['type=registry,mode=max,ref=alpine', 'type=local,dest=caches/{platform},mode=max'],
      }),
    ).toEqual({
      ok: true,
      value: {
        args: [
          ...['--cache-from', 'type=registry,ref=r.example:5000/cache:images-app-1-dockerfile'],
          ...['--cache-from', 'type=gha,scope=images-app-1-dockerfile-linux-arm-v7_linux-amd64'],
          ...['--cache-to', 'type=registry,mode=max,ref=alpine'],
          ...['--cache-to', 'type=local,"dest=/the, root/caches/linux-arm-v7_linux-amd64",mode=max'],
        ],
        env: {},
        hosts: ['r.example:5000', 'docker.io'],
      },
    });
  });

  it('are written but not read when nothing may come from a cache', () => {
    const both = { cacheFrom: ['type=registry,ref=a.example/a'], cacheTo: ['type=registry,ref=b.example/b'] };
    const written = { args: ['--cache-to', 'type=registry,ref=b.example/b'], env: {}, hosts: ['b.example'] };
    expect(found({ ...both, noCache: true })).toEqual({ ok: true, value: written });
    expect(found(both, { noCache: true })).toEqual({ ok: true, value: written });
  });

  it('get their variables from the environment, and only those of their type', () => {
    const env = { ACTIONS_RUNTIME_TOKEN: 't', AWS_SECRET_ACCESS_KEY: 's', OTHER: 'o' };
    expect(found({ cacheTo: ['type=gha'] }, {}, env)).toMatchObject({ value: { env: { ACTIONS_RUNTIME_TOKEN: 't' } } });
    expect(found({ cacheFrom: ['type=s3,bucket=b'] }, {}, env)).toMatchObject({
      value: { env: { AWS_SECRET_ACCESS_KEY: 's' } },
    });
    expect(found({ cacheFrom: ['type=local,src=/a'] }, {}, env)).toMatchObject({ value: { env: {} } });
  });

  it.each([
    'type=s3,bucket=b,secret_access_key=hunter2',
    'type=s3,bucket=b,access_key_id=hunter2',
    'type=s3,bucket=b,session_token=hunter2',
    'type=gha,token=hunter2',
    'type=gha,ghtoken=hunter2',
    'type=s3,endpoint_url=https://me:hunter2@s3.example',
    'type=registry,ref=me:hunter2@r.example/cache',
  ])('never hold a secret: %s', (spec) => {
    const message = messageOf(spec);
    expect(message).toMatch(/^config: "cacheTo\/0" in the options of the plugin build-docker /);
    expect(message).not.toContain('hunter2');
  });

  it('say where they are', () => {
    expect(messageOf('type=local,src=a')).toContain('"dest=…" is missing');
    expect(messageOf('type=registry,mode=max')).toContain('has no valid "ref"');
  });

  it('begin with a type that is known, and hold nothing that begins something else', () => {
    const pattern = new RegExp(cachePattern);
    const yes = ['type=gha', 'type=registry,ref=r.example:5000/a/b:c@sha256:00', 'type=local,src=../a'];
    const no = [
      ...['alpine', '--push', 'type=inline', 'type=inline,ref=a', 'ref=a,type=gha', 'type=registry ,ref=a'],
      ...['type=local,dest=a b', 'type=local,"dest=a"', 'type=gha,', 'type=gha,scope', 'type=gha,scope=a=b'],
      ...[
        'type=gha,scope={other}',
        'type=azblob,account_url=https://a.example?sig=x',
        'type=gha\n',
        'type=gha,Scope=a',
      ],
    ];
    expect(yes.filter((spec) => !pattern.test(spec))).toEqual([]);
    expect(no.filter((spec) => pattern.test(spec))).toEqual([]);
  });
});
