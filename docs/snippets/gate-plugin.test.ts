import { createHost, loadPlugins, parseReference, type Pinned, type Scan } from '@slipway/core';
import { expect, it } from 'vitest';
import plugin from './gate-plugin.ts';

const digest = `sha256:${'a'.repeat(64)}`;

function subject(): Pinned {
  const parsed = parseReference(`registry.example/team/app@${digest}`);
  if (!parsed.ok || parsed.value.kind !== 'pinned') throw new Error('it is pinned');
  return parsed.value;
}

/** A scan with so many findings. */
function scanOf(count: number): Scan {
  const [platform, time] = ['linux/amd64', '2026-11-23T00:00:00Z'];
  const finding = { id: 'CVE-2026-1', severity: 'LOW', package: 'a', installed: '1', platforms: [platform] } as const;
  const findings = Array.from({ length: count }, () => finding);
  return {
    scanner: { name: 'example', version: '1.0.0', uri: 'https://scanner.example' },
    startedAt: time,
    finishedAt: time,
    platforms: [{ digest: subject().digest, platform, status: 'scanned', packages: 1, findings }],
  };
}

it('refuses with a sentence what has more findings than its option allows', async () => {
  const settings = { folder: '/', plugins: [{ name: plugin.name, options: { most: 2 } }] };
  const loaded = await loadPlugins({ settings, defaults: new Map([[plugin.name, async () => plugin]]) });
  if (!loaded.ok) throw new Error('it does not load');
  const host = await createHost(loaded.value, {});
  if (!host.ok) throw new Error('it does not apply');
  const ask = (count: number) => host.value.gate({ entry: 'build:a', subject: subject(), scan: scanOf(count) });
  expect(await ask(2)).toEqual({ ok: true, value: undefined });
  expect(await ask(3)).toEqual({ ok: true, value: '3 findings, and 2 are the most that are allowed here' });
});
