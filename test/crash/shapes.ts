/** What is published while it is killed: a small config for a round after every line, and one of every kind that there is. */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { HELLO, project, type Project } from '../chain/project.ts';
import { image, source } from '../chain/shorthand.ts';
import { freshPath, push, root, world } from '../world.ts';
import { archive, folder, registry, type Place } from './places.ts';

export interface Published {
  readonly made: Project;
  readonly places: readonly Place[];
  /** What a consumer takes, for cosign: `host/path:tag`. */
  readonly references: readonly string[];
}

export interface Shape {
  readonly name: string;
  /** The config on repositories of its own, which are as they were at first. */
  fresh(): Promise<Published>;
}

/** What is copied: one image for all rounds. */
let upstream: Promise<{ readonly path: string }> | undefined;

async function copiedFrom(): Promise<string> {
  const { path } = await (upstream ??= source('crash'));
  return `hub.slipway.example/${path}:1`;
}

/** An image that is built, one that is copied, and another tag. */
export const small: Shape = {
  name: 'small',
  async fresh() {
    const { host } = world().destination;
    const [built, synced] = [freshPath('crash'), freshPath('crash')];
    const made = await project({
      build: [{ source: `./${HELLO}`, destination: `${host}/${built}:1` }],
      sync: [
        { source: await copiedFrom(), destination: `${host}/${synced}:1` },
        { source: `${host}/${built}:1`, destination: `${host}/${built}:stable` },
      ],
    });
    const references = [`${host}/${built}:1`, `${host}/${built}:stable`, `${host}/${synced}:1`];
    return { made, references, places: [registry(host, built), registry(host, synced)] };
  },
};

/**
 * Packages by melange, a Dockerfile, a retag into another repository, a tag that is kept before it moves, a registry with the
 * referrers API, a layout and an archive; tags move together.
 */
export const rich: Shape = {
  name: 'rich',
  async fresh() {
    const { destination, referrers } = world();
    if (referrers === undefined) throw new Error('the world has no registry with the referrers API');
    const paths = Array.from({ length: 5 }, () => freshPath('crash'));
    const [hello = '', greeter = '', app = '', copied = '', elsewhere = ''] = paths;
    const [here, listed] = [destination.host, referrers.host];
    const from = await copiedFrom();
    const copies = [`${here}/${copied}`, `${listed}/${copied}`];
    for (const copy of copies) await push(image('crash-older'), `${copy}:1`);
    const docker = world().buildkit === undefined ? [] : [`${here}/${app}`];
    const made = await project({
      build: [
        { source: `./${HELLO}`, destination: `${here}/${hello}:1` },
        {
          source: './images/greeter/apko.yaml',
          destination: `${here}/${greeter}:1`,
          melangeConfigs: ['./images/greeter/greeter.yaml', './images/greeter/greeter-lib.yaml'],
        },
        ...docker.map((repository) => ({
          source: './images/app/Dockerfile',
          destination: `${repository}:1`,
          platforms: ['linux/amd64'],
        })),
      ],
      sync: [
        ...copies.map((copy) => ({ source: from, destination: `${copy}:1`, backup: 'was-{tag}' })),
        { source: `${here}/${hello}:1`, destination: `${here}/${hello}:stable` },
        { source: `${here}/${hello}:1`, destination: `${listed}/${elsewhere}:1` },
        { source: from, destination: 'oci:./out:1' },
        { source: from, destination: 'oci-archive:./out.tar:1' },
      ],
      settings: { publish: 'together' },
      files: {
        'images/app/Dockerfile': `FROM ${here}/${hello}:1\nCOPY message /here\n`,
        'images/app/message': 'hello\n',
      },
    });
    await mkdir(join(made.folder, 'images'), { recursive: true });
    await cp(join(root, 'images', 'greeter'), join(made.folder, 'images', 'greeter'), { recursive: true });
    const tagged = [`${here}/${hello}`, `${here}/${greeter}`, ...docker, ...copies, `${listed}/${elsewhere}`];
    return {
      made,
      references: [...tagged.map((repository) => `${repository}:1`), `${here}/${hello}:stable`],
      places: [
        ...tagged.map((name) => registry(name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1))),
        folder(join(made.folder, 'out')),
        archive(join(made.folder, 'out.tar')),
      ],
    };
  },
};
