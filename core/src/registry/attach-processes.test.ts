/**
 * Two processes that attach to one image at once, where the registry keeps no list by itself. Nothing there lets one of them wait
 * for the other: what the loser wrote last may go from the list. It is kept under its digest, and listed again by the next run.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { mediaType, type Descriptor } from '../oci/model.ts';
import { seedImage } from '../testing/sample-images.ts';
import { startScriptedRegistry } from '../testing/scripted-registry.ts';
import { client, must, pinned, repository } from './test-client.ts';

const ROUNDS = 20;
/** In each of the two processes. */
const WRITERS = 4;

/** Attaches to the image that each line on stdin names, by as many clients at once, and answers with what they made. */
const writer = `
  import { createInterface } from 'node:readline';
  import { client, must, repository } from ${JSON.stringify(join(import.meta.dirname, 'test-client.ts'))};
  const [host, name] = process.argv.slice(1);
  for await (const line of createInterface({ input: process.stdin })) {
    const subject = { ...JSON.parse(line), repository: repository(host, 'a') };
    const made = await Promise.all(Array.from({ length: ${WRITERS} }, async (_, at) => {
      await using registry = client();
      const bytes = Buffer.from(JSON.stringify({ bundle: name + at }));
      return must(await registry.attach(subject, [{ artifactType: ${JSON.stringify(mediaType.bundle)}, annotations: {}, bytes }]));
    }));
    console.log(JSON.stringify(made.flat()));
  }
`;

interface Writer {
  attach(image: Descriptor): Promise<readonly Descriptor[]>;
}

function startWriter(host: string, name: string): Writer {
  const options = ['--conditions=slipway-source', '--disable-warning=ExperimentalWarning', '--input-type=module'];
  const child: ChildProcess = spawn(process.execPath, [...options, '-e', writer, host, name], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const ended = once(child, 'exit');
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  return {
    async attach(image) {
      const answer = once(lines, 'line');
      child.stdin?.write(`${JSON.stringify(image)}\n`);
      const [line] = (await Promise.race([answer, ended])) as [unknown];
      if (typeof line !== 'string') throw new Error(`the process ${name} has ended`);
      return JSON.parse(line) as readonly Descriptor[];
    },
  };
}

test('two processes, four writers each: nothing is lost for good, twenty times out of twenty', async () => {
  let turn = 0;
  await using server = await startScriptedRegistry({ latency: () => (turn = (turn * 7 + 3) % 5) });
  await using next = client();
  const writers = [startWriter(server.host, 'one'), startWriter(server.host, 'two')];
  for (let round = 0; round < ROUNDS; round += 1) {
    const image = seedImage(server, 'a', `round ${round}`);
    const subject = pinned(`${server.host}/a@${image.digest}`);
    const made = (await Promise.all(writers.map((each) => each.attach(image)))).flat();
    expect(new Set(made.map(({ digest }) => digest)).size).toBe(2 * WRITERS);
    const listed = async (): Promise<readonly string[]> =>
      must(await next.referrers(subject, 'destination')).map(({ descriptor }) => descriptor.digest);

    // What is not listed is there all the same.
    const before = new Set(await listed());
    const lost = made.filter(({ digest }) => !before.has(digest));
    expect(before.size).toBeGreaterThan(0);
    for (const { digest } of made) expect(server.manifest('a', digest), `round ${round}`).toBeDefined();
    // The next run finds what is missing, and attaches it: here with the same bytes, so that it must come to the same.
    for (const { digest } of lost) {
      const bytes = bundleOf(digest);
      const again = await next.attach({ ...image, repository: repository(server.host, 'a') }, [
        { artifactType: mediaType.bundle, annotations: {}, bytes },
      ]);
      expect(must(again).map((each) => each.digest)).toEqual([digest]);
    }
    expect([...(await listed())].toSorted(), `round ${round}`).toEqual(made.map(({ digest }) => digest).toSorted());
  }

  function bundleOf(digest: string): Uint8Array {
    const manifest = JSON.parse(Buffer.from(server.manifest('a', digest)?.bytes ?? []).toString());
    return server.blob('a', manifest.layers[0].digest) ?? new Uint8Array();
  }
});
