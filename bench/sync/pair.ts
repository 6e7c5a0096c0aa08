/** The pair of registries that counts requests: bearer tokens for each scope, blobs from another host, a wait before each answer. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline/promises';

export interface Shape {
  readonly repositories: number;
  /** In each repository. */
  readonly tags: number;
  readonly platforms: number;
  /** Of each platform; the first is the same in all images. */
  readonly layers: number;
  /** Bytes of a layer. */
  readonly size: number;
  /** The destination has all of it. */
  readonly copied: boolean;
  /** Milliseconds before each answer. */
  readonly delay: number;
}

/** Kind of request → how many. */
export type Counts = Readonly<Record<string, number>>;

export interface Pair extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly source: string;
  readonly destination: string;
  /** Sets both back to how they began, and the counts to nothing. */
  reset(): Promise<void>;
  stats(): Promise<{ readonly source: Counts; readonly destination: Counts }>;
}

/** In a process of its own, which ends with this one. */
export async function startPair(kit: string, shape: Shape): Promise<Pair> {
  const { copied, delay, ...numbers } = shape;
  const flags = Object.entries(numbers).map(([name, value]) => `-${name}=${value}`);
  const child = spawn(kit, ['registry', ...flags, `-copied=${copied}`, `-delay=${delay}ms`], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const { value } = await lines[Symbol.asyncIterator]().next();
  const { source, destination, control } = JSON.parse(String(value)) as Readonly<
    Record<'source' | 'destination' | 'control', string>
  >;
  const ask = async (path: string): Promise<string> => (await fetch(`http://${control}/${path}`)).text();
  return {
    source,
    destination,
    reset: async () => void (await ask('reset')),
    stats: async () => JSON.parse(await ask('stats')) as { readonly source: Counts; readonly destination: Counts },
    async [Symbol.asyncDispose]() {
      const ended = new Promise((resolve) => child.once('close', resolve));
      child.stdin.end();
      await ended;
      lines.close();
    },
  };
}

export interface Copy {
  readonly source: string;
  readonly destination: string;
  readonly repository: string;
  readonly tag: string;
}

/** What the shape's source holds: every tag, and where it goes. */
export function copiesOf({ source, destination }: Pair, { repositories, tags }: Shape): readonly Copy[] {
  return Array.from({ length: repositories * tags }, (_, n) => {
    const repository = `mirror/image${n % repositories}`;
    const tag = `1.${Math.floor(n / repositories)}`;
    return {
      source: `${source}/${repository}:${tag}`,
      destination: `${destination}/${repository}:${tag}`,
      repository,
      tag,
    };
  });
}
