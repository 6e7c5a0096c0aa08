/** Whether what a plugin answers is so. Its contract's schema only says that it could be. */
import { isDeepStrictEqual } from 'node:util';
import type { Failure, Result } from '../failure.ts';
import { openLayout } from '../oci/layout.ts';
import { formatPlatform, type Descriptor } from '../oci/model.ts';
import { isManifestType } from '../oci/parse.ts';
import type { Built } from '../plugin/api.ts';
import type { ContractInput, ContractName, ContractOutput } from '../plugin/contract-api.ts';
import { formatPinned, type Digest } from '../reference.ts';
import type { Content } from '../registry/model.ts';
import { bundleStatement } from '../trust/bundle.ts';
import type { TestWorld } from './context.ts';
import type { ModeInput } from './suite.ts';

/** `undefined`: it is so; otherwise what is not, for the author to read. Asked while the task's folders are still there. */
type Truth<N extends ContractName> = (
  output: ContractOutput<N>,
  input: ContractInput<N>,
  world: TestWorld,
) => Promise<string | undefined>;

/** Of the contracts whose output can be held against something besides the plugin's word. */
export const truths: { readonly [N in ContractName]?: Truth<N> } = {
  'image.copy@1': async ({ digest }, { destination }, { registry }) => {
    if (digest !== destination.digest)
      return `it was asked for ${destination.digest} and says that it copied ${digest}`;
    const problem = await problemIn(registry.content(destination, 'destination'), destination.digest);
    return problem === undefined ? undefined : `it says that ${formatPinned(destination)} was copied, but ${problem}`;
  },
  'image.scan@1': async ({ platforms }, { children }) => strangers(platforms, children),
  'sbom.make@1': async ({ documents }, { children }) => strangers(documents, children),
  'statement.sign@1': async ({ bundle }, { statement }) => {
    const signed = bundleStatement(bundle);
    if (!signed.ok) return signed.failure.message;
    return isDeepStrictEqual(signed.value, statement) ? undefined : 'its bundle holds another statement';
  },
};

/** Every byte of the layout is what its digest says, and it holds the platforms that were asked for. */
export async function truthOfBuild(
  { layout, sboms = [] }: Built,
  { platforms }: ModeInput,
): Promise<string | undefined> {
  const opened = await openLayout(layout);
  if (!opened.ok) return opened.failure.message;
  const { content, root } = opened.value;
  const problem = await problemIn(content, root.digest);
  if (problem !== undefined) return `in its layout ${problem}`;
  const top = await content.manifest(root.digest);
  const children: readonly Descriptor[] = top.ok && top.value?.kind === 'index' ? top.value.value.manifests : [root];
  const made = new Set(children.flatMap(({ platform }) => (platform === undefined ? [] : [formatPlatform(platform)])));
  const lacking = platforms.map(formatPlatform).filter((platform) => made.size > 0 && !made.has(platform));
  if (lacking.length > 0) return `its layout lacks ${lacking.join(', ')}, which context.platforms asks for`;
  return strangers(sboms, children);
}

function strangers(
  told: readonly { readonly digest: string }[],
  asked: readonly { readonly digest: string }[],
): string | undefined {
  const known = new Set(asked.map(({ digest }) => digest));
  const [stranger] = told.filter(({ digest }) => !known.has(digest));
  return stranger === undefined ? undefined : `it speaks of ${stranger.digest}, which is no platform of the image`;
}

/** Reads all that `digest` refers to, to its last byte. */
async function problemIn(content: Content, digest: Digest): Promise<string | undefined> {
  const manifest = await content.manifest(digest);
  if (!manifest.ok) return manifest.failure.message;
  if (manifest.value === undefined) return `${digest} is not there`;
  const { kind, value } = manifest.value;
  if (kind === 'index') {
    for (const child of value.manifests) {
      const problem = await (isManifestType(child.mediaType)
        ? problemIn(content, child.digest)
        : drain(await content.blob(child)));
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  for (const blob of [value.config, ...value.layers]) {
    const problem = await drain(await content.blob(blob));
    if (problem !== undefined) return problem;
  }
  return undefined;
}

async function drain(bytes: Result<AsyncIterable<Uint8Array>, Failure>): Promise<string | undefined> {
  if (!bytes.ok) return bytes.failure.message;
  try {
    for await (const _ of bytes.value);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
