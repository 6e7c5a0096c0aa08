/** What is broken in a scripted registry, whatever was meant to happen to it. */
import { digestLike } from '../oci/digest.ts';
import { isForeign, type Descriptor } from '../oci/model.ts';
import { isManifestType, parseManifest } from '../oci/parse.ts';
import type { Digest } from '../reference.ts';
import type { ScriptedRegistry } from './scripted-registry.ts';

/**
 * A line for each tag that does not lead to a whole image: manifest, all children, all blobs, each with the bytes that its
 * digest says. Layers that are published elsewhere may be missing.
 */
export function brokenTags(registry: ScriptedRegistry, repository: string): readonly string[] {
  return registry.tags(repository).flatMap((tag) => {
    const problem = problemIn(registry, repository, registry.manifest(repository, tag)?.digest);
    return problem === undefined ? [] : [`${repository}:${tag}: ${problem}`];
  });
}

function problemIn(registry: ScriptedRegistry, repository: string, digest: Digest | undefined): string | undefined {
  const stored = digest === undefined ? undefined : registry.manifest(repository, digest);
  if (digest === undefined || stored === undefined) return `the manifest ${digest} is missing`;
  if (digestLike(digest, stored.bytes) !== digest) return `the manifest ${digest} has other bytes`;
  const parsed = parseManifest(stored.bytes, digest, stored.type);
  if (!parsed.ok) return `the manifest ${digest} ${parsed.problem}`;
  if (parsed.value.kind === 'index') {
    for (const child of parsed.value.value.manifests) {
      const problem = isManifestType(child.mediaType)
        ? problemIn(registry, repository, child.digest)
        : problemInBlob(registry, repository, child);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  const { config, layers } = parsed.value.value;
  return [config, ...layers].map((part) => problemInBlob(registry, repository, part)).find((problem) => problem);
}

function problemInBlob(registry: ScriptedRegistry, repository: string, part: Descriptor): string | undefined {
  const bytes = registry.blob(repository, part.digest);
  if (bytes === undefined) return isForeign(part) ? undefined : `the blob ${part.digest} is missing`;
  return digestLike(part.digest, bytes) === part.digest ? undefined : `the blob ${part.digest} has other bytes`;
}
