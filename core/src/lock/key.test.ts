import { expect, it } from 'vitest';
import { options, valueOf } from '../config/fixtures.ts';
import { parseConfig } from '../config/load.ts';
import { keyOfSelection, keyOfSource } from './key.ts';
import { lockable } from './lockable.ts';

const CONFIG = `sync:
  - source: docker.io/library/alpine:3.20
    destination: r.example/a:1
    platforms: [linux/arm64, linux/amd64]
    verify: { issuer: https://i.example, subjectPattern: 'https://a\\.example/.*', minAge: 2d }
  - source: docker.io/library/node
    destination: r.example/node:{tag}
    select: { semver: '>=20 <25', exclude: ['*-rc*'], latest: 3, extract: '(.*)-alpine' }
`;

it('stays as it is: by another one every lock that is committed would be stale', () => {
  const config = valueOf(parseConfig(CONFIG, '/config.yaml', options));
  expect(lockable(config).map(keyOfSource)).toEqual(['f3945f3a189150db']);
  expect(config.selections.map(keyOfSelection)).toEqual(['d08b5defd7838815']);
});
