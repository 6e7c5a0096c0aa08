import { describe, expect, it } from 'vitest';
import type { Config, Entry, Selection, SyncEntry } from '../config/model.ts';
import { build, sync } from '../plan/sample.ts';
import { placesOf } from './places.ts';

const at = { file: '/config.yaml', line: 1, column: 1 };

function config(entries: readonly Entry[], selections: readonly Selection[] = []): Config {
  return { file: '/config.yaml', folder: '/', entries, selections };
}

function templated(template: string, tag: string): SyncEntry {
  const entry = sync('alpine', `r.example/a:${tag}`);
  return { ...entry, targets: [{ ...entry.targets[0], templated: true, template }] };
}

function selection(destination: string): Selection {
  return {
    id: `sync:${destination}`,
    at,
    source: { registry: 'docker.io', path: 'library/node' } as Selection['source'],
    select: { tags: [], exclude: [], prerelease: false, allowEmpty: false },
    destination,
    destinations: [{ text: destination, at }],
    values: { registry: 'docker.io', path: 'library/node', name: 'node' },
    always: false,
    position: 0,
  };
}

describe('the repositories of a config', () => {
  it('have what is named in them, by whichever entry', () => {
    const places = placesOf(
      config([sync('alpine', 'r.example/a:1'), build('Dockerfile', 'r.example/a:2'), sync('x', 'r.example/b:1')]),
    );
    expect([...places].map(([name, { named }]) => [name, [...named]])).toEqual([
      ['r.example/a', ['1', '2']],
      ['r.example/b', ['1']],
    ]);
  });

  it('know what a template made on other days, and nothing that only looks like it', () => {
    const place = placesOf(config([templated('1.0-{date}', '1.0-2026-11-25')])).get('r.example/a');
    expect(
      ['1.0-2025-01-31', '1x0-2025-01-31', '1.0-2025-01-31-x', '2.0-2025-01-31'].map((tag) => place?.isDated(tag)),
    ).toEqual([true, false, false, false]);
  });

  it('know what a template made of other commits, also where letters of a commit stand before it', () => {
    const place = placesOf(config([templated('build{sha}', 'build0a1b2c3d4e5f')])).get('r.example/a');
    expect(
      ['buildffffffffffff', 'build0123456789ab', 'builds', 'bui1d0123456789ab'].map((tag) => place?.isDated(tag)),
    ).toEqual([true, true, false, false]);
  });

  it('know them where the rest of the name is what every object of the language has', () => {
    const place = placesOf(config([templated('constructor{sha}', 'constructor0a1b2c3d4e5f')])).get('r.example/a');
    expect(['constructorffffffffffff', 'ffffffffffff'].map((tag) => place?.isDated(tag))).toEqual([true, false]);
  });

  it('know the backups of every day and number', () => {
    const backup = { template: 'was-{tag}-{date}', dated: 'was-{tag}-2026-11-25' };
    const place = placesOf(config([{ ...sync('alpine', 'r.example/a:1.0'), backup } as Entry])).get('r.example/a');
    const tags = ['was-1.0-2025-01-31', 'was-1.0-2026-11-25-2', 'was-1.0', 'was-2.0-2025-01-31', 'xwas-1.0-2025-01-31'];
    expect(tags.map((tag) => place?.isBackup(tag))).toEqual([true, true, false, false, false]);
  });

  it('know those of each of several entries', () => {
    const [a, b] = [templated('1-{date}', '1-2026-11-25'), templated('2-{date}', '2-2026-11-25')].map(
      (entry): Entry => ({
        ...entry,
        backup: { template: 'was-{tag}', dated: 'was-{tag}' },
      }),
    );
    const place = placesOf(config([a, b].filter((entry) => entry !== undefined))).get('r.example/a');
    expect(['1-2025-01-31', '2-2025-01-31', '3-2025-01-31'].map((tag) => place?.isDated(tag))).toEqual([
      true,
      true,
      false,
    ]);
    const backups = ['was-1-2025-01-31', 'was-2-2025-01-31', 'was-3-2025-01-31'];
    expect(backups.map((tag) => place?.isBackup(tag))).toEqual([true, true, false]);
  });

  it('are closed where a selection could not be expanded, and all of them where its repository is not known', () => {
    const entries = [sync('alpine', 'r.example/node:1'), sync('alpine', 'r.example/b:1')];
    const closed = (destination: string): readonly (string | undefined)[] =>
      [...placesOf(config(entries, [selection(destination)])).values()].map((place) => place.closed);
    expect(closed('r.example/{name}:{tag}')).toEqual([expect.stringContaining('not known'), undefined]);
    expect(closed('r.example/{name}-{tag}:1')).toEqual([expect.anything(), expect.anything()]);
  });
});
