/** `check` says of a registry that nobody can talk to that, and nothing about who may pull from it. */
import { startScriptedRegistry } from '@slipway/core/testing';
import { expect, it } from 'vitest';
import { command, folderWith } from '../testing.ts';

it('destination-public calls a registry that cannot be spoken to unreachable, and not private', async () => {
  await using registry = await startScriptedRegistry();
  const cwd = folderWith({
    'config.yaml': `sync:\n  - { source: '${registry.host}/one:1', destination: '${registry.host}/mirror/one:1' }\n`,
    // It speaks plain HTTP.
    'slipway.config.yaml': `registries: [{ match: '${registry.host}', plainHttp: false }]\n`,
  });
  const { code, stdout } = await command({ cwd }, 'check');
  expect(code).toBe(1);
  const [told = '', hint = ''] = stdout.slice(stdout.indexOf('destination-public')).split('\n');
  expect(told).toContain(`could not be looked at: cannot talk to ${registry.host}: it does not speak TLS`);
  expect(hint).toContain('plainHttp');
  expect(stdout).not.toContain('without credentials');
});
