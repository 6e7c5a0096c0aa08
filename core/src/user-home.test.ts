import { homedir } from 'node:os';
import { expect, test } from 'vitest';
import { userHome } from './user-home.ts';

const unknown = (): never => {
  throw Object.assign(new Error('uv_os_homedir returned ENOENT'), { code: 'ERR_SYSTEM_ERROR' });
};

test.each([
  ['the one that is named', { HOME: '/home/a' }, unknown, '/home/a'],
  ['the one that the system has', {}, () => '/home/b', '/home/b'],
  ['none, if the system does not know the user', {}, unknown, undefined],
  ['none, if it is empty', { HOME: '' }, () => '/home/b', undefined],
  ['none, if it is relative', { HOME: 'home' }, () => '/home/b', undefined],
  ['none, if that of the system is relative', {}, () => '', undefined],
])('%s', (_, env, ofSystem, home) => expect(userHome(env, ofSystem)).toBe(home));

test('the system is asked by itself', () => expect(userHome({})).toBe(homedir()));
