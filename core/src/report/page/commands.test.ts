/** The commands that a page offers: those that work on what it is about. */
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Event } from '../../journal/events.ts';
import type { Signing } from '../../config/settings-model.ts';
import { areCosignFlags, cosignFlags } from '../cosign.ts';
import { commandsFor } from './commands.ts';
import { reportData } from './data.ts';
import { reportPage } from './page.ts';
import { sampleRun } from './sample.ts';

const row = reportData(sampleRun({ images: 1 })).images[0];
const digest = `sha256:${'a'.repeat(64)}`;

test('what lies in a layout is checked by slipway: cosign asks registries only', () => {
  if (row === undefined) throw new Error('the sample has no image');
  const shown = { ...row, findings: null, signed: true, digest };
  const of = (destination: string): string =>
    commandsFor({ ...shown, destination, id: `sync:${destination}` }, { run: 'r', cosign: '--key cosign.pub' }, false)
      .map(({ command }) => command)
      .join('\n');
  expect(of('oci:./mirror/alpine:3.20')).not.toContain('cosign');
  expect(of('oci:./mirror/alpine:3.20')).toContain('slipway verify --only sync:oci:./mirror/alpine:3.20');
  expect(of('oci:5000/alpine:3.20')).toContain(`cosign verify --key cosign.pub oci:5000/alpine@${digest}`);
});

test('of a run with another config, or of a try elsewhere, are about that', () => {
  const asked = { config: 'weekly images.yaml', settings: 'ci.config.yaml', to: 'localhost:5000/try/{registry}' };
  const events = sampleRun({ images: 1 }).map((event): Event =>
    event.type === 'run.start'
      ? { ...event, asked }
      : event.type === 'entry.done'
        ? { ...event, rows: event.rows.map((one) => ({ ...one, before: digest })) }
        : event.type === 'tag.move'
          ? { ...event, from: digest }
          : event,
  );
  const data = reportData(events);
  const flags = "--config 'weekly images.yaml' --settings ci.config.yaml --to 'localhost:5000/try/{registry}'";
  const commands = data.images[0]?.commands.map(({ command }) => command) ?? [];
  const { id = '', destination = '' } = data.images[0] ?? {};
  expect(commands).toContain(`slipway show ${destination} --settings ci.config.yaml --scratch`);
  expect(commands).toContain(`slipway verify --only ${id} ${flags}`);
  expect(commands).toContain(`slipway rollback ${destination} ${flags}`);
  expect(commands).toContain(`slipway rollback ${data.run} ${flags}`);
  const page = reportPage(data).replaceAll('&#39;', "'");
  for (const command of ['slipway verify', 'slipway why --resolve', `slipway rollback ${data.run}`])
    expect(page).toContain(`<pre>${command} ${flags}</pre>`);
});

test('a run is put back only if a tag of it named something before', () => {
  const all = (before: string | null): readonly Event[] =>
    sampleRun({ images: 1 }).map((event) => {
      if (event.type === 'tag.move') return { ...event, from: before };
      return event.type === 'entry.done' ? { ...event, rows: event.rows.map((one) => ({ ...one, before })) } : event;
    });
  expect(reportPage(reportData(all(null)))).not.toContain('slipway rollback');
  expect(reportPage(reportData(all(digest)))).toContain('slipway rollback 20261125-203000-1a2b3c');
});

test('a tag of an image that is not signed is put back by the run alone: nothing attested says what it named before', () => {
  const of = (signed: boolean): readonly string[] => {
    const events = sampleRun({ images: 1 }).map((event): Event => {
      if (event.type === 'tag.move') return { ...event, from: digest };
      return event.type === 'entry.done'
        ? { ...event, rows: event.rows.map((one) => ({ ...one, before: digest, signed })) }
        : event;
    });
    return (reportData(events).images[0]?.commands ?? [])
      .map(({ command }) => command)
      .filter((command) => command.startsWith('slipway rollback'));
  };
  expect(of(false)).toEqual(['slipway rollback 20261125-203000-1a2b3c']);
  expect(of(true)).toEqual(['slipway rollback ghcr.io/example/image-0:1.0', 'slipway rollback 20261125-203000-1a2b3c']);
});

test('a tag that was put back goes forward again by its run: what is attested of it leads further back', () => {
  const tag = 'ghcr.io/example/image-0:1.0';
  const events = sampleRun({ images: 1 }).flatMap((event): readonly Event[] => {
    if (event.type === 'run.start') {
      const { cosign: _, ...start } = event;
      return [{ ...start, command: 'rollback', entries: [`rollback:${tag}`], tasks: [] }];
    }
    if (event.type !== 'entry.done') return event.type === 'run.done' ? [event] : [];
    const rows = event.rows.map((one) => ({ ...one, id: `rollback:${tag}`, before: digest }));
    return [{ ...event, entry: `rollback:${tag}`, rows }];
  });
  const commands = (reportData(events).images[0]?.commands ?? []).map(({ command }) => command);
  expect(commands.filter((command) => command.startsWith('slipway'))).toEqual([
    `slipway show ${tag}`,
    'slipway rollback 20261125-203000-1a2b3c',
  ]);
});

test('a journal of somebody else puts nothing of its own into them', () => {
  const commands = (change: (line: string) => string): readonly string[] =>
    reportData(
      sampleRun({ images: 1 }).map((event) => JSON.parse(change(JSON.stringify(event))) as Event),
    ).images.flatMap((image) => image.commands.map(({ command }) => command));
  const usual = commands((line) => line);
  expect(usual.some((command) => command.startsWith('cosign verify --key cosign.pub '))).toBe(true);
  for (const flags of [
    '--key cosign.pub; touch owned #',
    '--key $(touch owned)',
    "--key 'a' `touch owned`",
    '--key cosign.pub\ntouch owned',
    '--key cosign.pub --output-file .bashrc',
  ]) {
    const shown = commands((line) =>
      line.replaceAll('--key cosign.pub --insecure-ignore-tlog=true', JSON.stringify(flags).slice(1, -1)),
    );
    expect(shown).toEqual(usual.filter((command) => !/^cosign|^slipway verify/.test(command)));
  }
  expect(commands((line) => line.replaceAll('ghcr.io/example/image-0:1.0', '--settings=./owned.js'))).toEqual([]);
  const told = (asked: object) => (line: string) =>
    line.replace('"type":"run.start"', `"type":"run.start","asked":${JSON.stringify(asked)}`);
  expect(commands(told({ settings: 'ci.yaml' }))).not.toEqual([]);
  for (const asked of [{ settings: './owned.mjs' }, { config: '--to' }, { to: 'a\u202eb' }])
    expect(commands(told(asked)), JSON.stringify(asked)).toEqual([]);
  expect(commands((line) => line.replaceAll('20261125-203000-1a2b3c', '--config=owned.yaml')).join()).not.toContain(
    'owned',
  );
});

test('flags that we write are known again, whoever signs', () => {
  const signing = (rest: object) => ({ accept: [], ...rest }) as unknown as Signing;
  const odd = { exact: "it's $(a) \\ `b`" };
  const key = (namedCurve: string) => ({
    kind: 'key',
    publicKey: generateKeyPairSync('ec', { namedCurve }).publicKey.export({ type: 'spki', format: 'pem' }),
  });
  const larger = signing({ signer: key('P-384') });
  // Cosign would verify with sha256 what it signed with another.
  expect(cosignFlags(larger)).toContain('--signature-digest-algorithm sha384');
  for (const one of [
    larger,
    signing({ signer: key('P-256') }),
    signing({ signer: key('P-521'), publicKeyFile: "/a b/it's.pub" }),
    signing({ signer: { kind: 'identity', subject: odd, issuer: { pattern: '^https://.*$' } }, trustedRoot: '/a/b' }),
  ])
    expect(areCosignFlags(cosignFlags(one)), cosignFlags(one)).toBe(true);
});
