/**
 * The whole chain on small apko images, everything to do: build, push, scan, SBOM, sign, attest, verify, tag. Beside it a shell
 * script that makes the same attachments with the same tools, one image after the other. Then the same again with nothing to do.
 *
 *   sh tools/node.sh bench/engine/chain.ts [--images 20] [--rounds 3] [--only slipway,script] [--built]
 */
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createProcesses } from '../../demo/world/processes.ts';
import { startRegistry } from '../../demo/world/registries.ts';
import { worldEnvironment, worldSettings } from '../../demo/world/settings.ts';
import { startWorld, worldTools, type WorldAddresses } from '../../demo/world/world.ts';
import { measure, median, type Command, type Usage } from '../kit/measure.ts';
import { listOption, option } from '../kit/options.ts';
import { buildSlipway, slipway } from '../kit/slipway.ts';
import { megabytes, printTable, ratio, seconds } from '../kit/table.ts';
import { findTools } from '../kit/tools.ts';

/** What one of them is given: an empty registry, and a folder with nothing but the images' sources. */
interface Place {
  readonly host: string;
  readonly folder: string;
  /** Lines of the registry's log, a request each. */
  readonly requests: () => Promise<readonly string[]>;
}

const TOOLS = ['apko', 'trivy', 'bench-kit'];

await buildSlipway();
const { finder, paths } = await findTools([...worldTools({}), ...TOOLS], ['bubblewrap', 'busybox-static']);
const kit = paths['bench-kit'] ?? '';
const names = Array.from({ length: option('images', 20) }, (_, n) => `image${n}`);
const only = listOption('only');
const folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
try {
  await using world = await startWorld({ folder: join(folder, 'world'), finder });
  await contest(world.addresses);
  if (only?.includes('slipway') ?? true) await again(world.addresses);
} finally {
  await rm(folder, { recursive: true });
}

async function contest(world: WorldAddresses): Promise<void> {
  const commands = Object.entries({ slipway: ours, script }).filter(([name]) => only?.includes(name) ?? true);
  const used = new Map<string, Usage[]>(commands.map(([name]) => [name, []]));
  const made = new Set<string>();
  for (let round = 0; round < option('rounds', 3); round += 1) {
    for (const [name, command] of commands) {
      await inPlace(world, async (place) => {
        used.get(name)?.push(await measure(kit, await command(world, place)));
        made.add(await attachments(place));
      });
    }
  }
  if (made.size !== 1) throw new Error(`not all of them attached the same: ${[...made].join('; ')}`);
  const figures = [...used].map(([name, runs]) => ({ name, ...median(runs) }));
  const scripted = figures.find(({ name }) => name === 'script');
  console.log(`\n${names.length} images, everything to do: ${[...made].join()} each`);
  printTable(
    ['', 'wall', 'CPU', 'of it its own', 'its part', 'memory', 'wall to the script'],
    figures.map(({ name, wall, cpu, own, peak }) => [
      ...[name, seconds(wall), seconds(cpu), seconds(own), `${((own / cpu) * 100).toFixed(1)} %`, megabytes(peak)],
      ratio(wall, scripted?.wall ?? Number.NaN),
    ]),
  );
}

/** Everything once, and then once more with nothing to do, counted by the registry. */
async function again(world: WorldAddresses): Promise<void> {
  await inPlace(world, async (place) => {
    const command = await ours(world, place);
    await measure(kit, command);
    const before = (await place.requests()).length;
    const indexesBefore = await indexRequests(world);
    const used = await measure(kit, command);
    const asked = (await place.requests()).slice(before);
    const indexes = (await indexRequests(world)) - indexesBefore;
    const events = (await newestJournal(place)).split('\n');
    const started = events.filter((line) => line.includes('"type":"task.tool"')).length;
    console.log(`\n${names.length} images, nothing to do`);
    printTable(
      ['wall', 'CPU', 'memory', 'tools started', 'requests', 'an image', 'for indexes of packages'],
      [
        [
          ...[seconds(used.wall), seconds(used.cpu), megabytes(used.peak), String(started), String(asked.length)],
          ...[(asked.length / names.length).toFixed(2), String(indexes)],
        ],
      ],
    );
  });
}

/** Config and settings as people have them, in the sources' folder. */
async function ours(world: WorldAddresses, { host, folder: at }: Place): Promise<Command> {
  const build = names.map((name) => ({ source: `./images/${name}/apko.yaml`, destination: `${host}/${name}:1` }));
  // JSON is YAML too.
  await writeFile(join(at, 'config.yaml'), JSON.stringify({ build }));
  await writeFile(join(at, 'slipway.config.json'), JSON.stringify(worldSettings(world)));
  const command = slipway(at, 'run', '--progress', 'quiet');
  return { ...command, env: { ...worldEnvironment(world), ...command.env } };
}

async function script(world: WorldAddresses, { host, folder: at }: Place): Promise<Command> {
  const { keys, database, tools } = world;
  const work = join(at, 'work');
  await mkdir(work);
  const env = {
    ...worldEnvironment(world),
    ...{ HOST: host, WORK: work, HOME: work, DATABASE: database },
    ...{ APKO: paths['apko'] ?? '', TRIVY: paths['trivy'] ?? '' },
    ...{ CRANE: tools['crane'] ?? '', COSIGN: tools['cosign'] ?? '' },
    ...{ KEY: keys.production.key, PUBLIC_KEY: keys.production.publicKey },
    ...{ SIGNING_CONFIG: keys.signingConfig, TRUSTED_ROOT: keys.trustedRoot },
  };
  return { path: 'sh', args: [join(import.meta.dirname, 'chain.sh')], cwd: at, env };
}

/** A new registry, and new folders: nothing is remembered from one run to the next. */
async function inPlace(world: WorldAddresses, work: (place: Place) => Promise<void>): Promise<void> {
  const own = await mkdtemp(join(folder, 'place-'));
  const processes = createProcesses();
  try {
    const at = join(own, 'sources');
    for (const name of names) {
      await mkdir(join(at, 'images', name), { recursive: true });
      await writeFile(join(at, 'images', name, 'apko.yaml'), JSON.stringify(image(name)));
    }
    const registry = join(own, 'registry');
    const { host } = await startRegistry(processes, world.tools['registry'] ?? '', registry, { accessLog: true });
    const requests = async (): Promise<readonly string[]> => {
      const lines = (await readFile(join(registry, 'log'), 'utf8')).split('\n');
      return lines.filter((line) => line.includes(' /v2/'));
    };
    await work({ host, folder: at, requests });
  } finally {
    await processes.end();
    await rm(own, { recursive: true, force: true });
  }
}

function image(name: string): object {
  const site = 'http://apk.slipway.example';
  return {
    contents: {
      keyring: [`${site}/keys/slipway.rsa.pub`],
      repositories: [`${site}/v3.20/main`],
      packages: ['slipway-release', 'busybox'],
    },
    // No two are one image.
    environment: { PATH: '/usr/bin:/bin', NAME: name },
    entrypoint: { command: '/bin/busybox' },
    archs: ['x86_64'],
  };
}

/** How many there are of the last image and of its platform, whoever made them. The registry has no referrers API. */
async function attachments({ host }: Place): Promise<string> {
  const path = `http://${host}/v2/${names.at(-1)}/manifests`;
  const accept = 'application/vnd.oci.image.index.v1+json';
  const index = async (what: string) => {
    const response = await fetch(`${path}/${what}`, { headers: { accept } });
    if (!response.ok) throw new Error(`${path}/${what}: ${response.status}`);
    const { manifests = [] } = (await response.json()) as {
      readonly manifests?: readonly { readonly digest: string }[];
    };
    return { digest: response.headers.get('docker-content-digest') ?? '', manifests };
  };
  const { digest, manifests } = await index('1');
  const counts: number[] = [];
  for (const each of [digest, ...manifests.map((child) => child.digest)])
    counts.push((await index(each.replace(':', '-'))).manifests.length);
  return `${counts[0] ?? 0} attachments, and ${counts.slice(1).join(' and ')} of the platform`;
}

/** How often the proxy was asked for what packages there are. */
async function indexRequests({ proxy }: WorldAddresses): Promise<number> {
  const answer = (await (await fetch(`${proxy}/requests`)).json()) as readonly { readonly url: string }[];
  return answer.filter(({ url }) => url.endsWith('/APKINDEX.tar.gz')).length;
}

async function newestJournal({ folder: at }: Place): Promise<string> {
  const runs = join(at, '.slipway', 'runs');
  const newest = (await readdir(runs)).toSorted().at(-1);
  if (newest === undefined) throw new Error('the run left no journal');
  return readFile(join(runs, newest), 'utf8');
}
