import { createRedactor, secretsFromEnv } from '@slipway/core';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { findSecrets } from './secrets.ts';

it.each(['tr0ub4dor-3\n', '//registry.example/:_authToken=npm_0123456789\n', '/K7MDENGbPxRfiCYEXAMPLEKEY'])(
  'what a secret file holds is known for a secret where the build prints it: %s',
  async (content) => {
    const root = mkdtempSync(join(tmpdir(), 'slipway-secrets-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    writeFileSync(join(root, 'token'), content);
    const found = await findSecrets({ a: { file: 'token' } }, root);
    if (!found.ok) throw new Error(found.failure.message);
    const { args, env } = found.value;
    expect(args).toEqual(['--secret', `id=a,"src=${join(root, 'token')}"`]);
    // As `exec` hides what a call hands to a tool.
    expect(createRedactor(secretsFromEnv(env))(`#5 0.1 ${content.trim()}`)).toBe('#5 0.1 ***');
  },
);
