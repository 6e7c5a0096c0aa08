/** Tools can ask registries only: an image in a layout is served to them under another name, and what they say of it is said of the layout. */
import { fail, ok, type Failure, type Result } from '../failure.ts';
import type { TaskContext } from '../plugin/api.ts';
import type { ContractInput, ContractName, ContractOutput } from '../plugin/contract-api.ts';
import type { Host } from '../plugin/host.ts';
import { formatRepository, isLocation, pin, type Pinned } from '../reference.ts';
import type { LayoutServer } from '../oci/serve-layout.ts';

/** The same host, to which locations may be given wherever a contract takes an image to look at. */
export function servingLocations(host: Host, server: LayoutServer): Host {
  async function call<N extends ContractName>(
    contract: N,
    input: ContractInput<N>,
    context: TaskContext,
  ): Promise<Result<ContractOutput<N>>> {
    const found = locatedImage(input);
    if (found === undefined) return host.call(contract, input, context);
    const { key, image } = found;
    const { repository, release } = await server.serve(image);
    try {
      const served = { ...input, [key]: pin(repository, image.digest) };
      const answer = await host.call(contract, served, context);
      const names = [formatRepository(repository), formatRepository(image)] as const;
      return answer.ok ? ok(renamed(answer.value, ...names)) : fail(renamed<Failure>(answer.failure, ...names));
    } finally {
      release();
    }
  }
  return { ...host, call };
}

/** The subject of a scan or an SBOM, the image of a verification. Copies are the core's own where a location is in them. */
function locatedImage(input: object): { readonly key: 'subject' | 'image'; readonly image: Pinned } | undefined {
  for (const key of ['subject', 'image'] as const) {
    const image = (input as Readonly<Partial<Record<typeof key, Pinned>>>)[key];
    if (image?.kind === 'pinned' && isLocation(image)) return { key, image };
  }
  return undefined;
}

function renamed<T>(value: T, from: string, to: string): T {
  const walk = (item: unknown): unknown => {
    if (typeof item === 'string') return item.replaceAll(from, to);
    if (Array.isArray(item)) return item.map(walk);
    if (typeof item !== 'object' || item === null) return item;
    return Object.fromEntries(Object.entries(item).map(([key, inner]) => [key, walk(inner)]));
  };
  return walk(value) as T;
}
