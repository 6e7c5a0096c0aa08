/** One run of buildx: an OCI image layout from a Dockerfile, with every base pinned. */
import { fail, formatPinned, formatPlatform, formatRepository, isLocation, ok } from '@slipway/core';
import type { BuildContext, Built, Material, Pinned, Result } from '@slipway/core';
import { join, resolve } from 'node:path';
import { endpointFor, type Builders } from './builder.ts';
import { findCaches } from './caches.ts';
import { explain, SPARE_BASE } from './explain.ts';
import { argsWith, frontendOf } from './frontend.ts';
import { namedContexts } from './inputs.ts';
import type { DockerOptions } from './options.ts';
import { findSecrets } from './secrets.ts';
import { makeWorkspace } from './workspace.ts';

/** Relative to the task's folder, where buildx runs: lists of `key=value` cannot hold every path. */
const LAYOUT = 'layout';

export async function build(context: BuildContext, options: DockerOptions, builders: Builders): Promise<Result<Built>> {
  const secrets = await findSecrets(options.secrets, context.files.root);
  if (!secrets.ok) return secrets;
  const caches = findCaches(options, context.files.root, context);
  if (!caches.ok) return caches;
  const asked = { options, endpoint: endpointFor(options, context.platforms), source: context.entry.source };
  const builder = await builders(context);
  if (!builder.ok) return fail(explain(builder.failure, asked));
  const workspace = await makeWorkspace(context);
  if (!workspace.ok) return workspace;
  const frontend = frontendOf(workspace.value.text, { file: context.entry.source, args: options.buildArgs });
  if (!frontend.ok) return frontend;
  const buildArgs = argsWith(options.buildArgs, frontend.value, context.bases);
  const named = namedContexts(workspace.value.text, context, options);
  // A frontend that knows no named contexts, as before Dockerfile 1.4, must be given none but those that are asked for.
  const contexts = Object.entries(context.bases).filter(([text, base]) => named.needed.has(text) || isLocation(base));
  const args = [
    ...['build', ...builder.value.args, '--file', workspace.value.dockerfile],
    ...['--platform', context.platforms.map(formatPlatform).join(',')],
    ...contexts.flatMap(([text, base]) => ['--build-context', `${text}=${sourceOf(base, context.files.root)}`]),
    // What a base of somebody else's does ON BUILD may take from a stage that nobody else needs: its image has no digest here.
    ...named.spare.flatMap((text) => ['--build-context', `${text}=docker-image://${SPARE_BASE}`]),
    // Dates in layers would make each build another image; attestations of BuildKit's would be children of unknown platform.
    ...['--output', `type=oci,dest=${LAYOUT},tar=false,rewrite-timestamp=true`, '--provenance=false', '--sbom=false'],
    ...['--progress', 'plain'],
    ...Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...secrets.value.args,
    ...caches.value.args,
    ...(options.noCache || context.noCache ? ['--no-cache'] : []),
    ...['--', workspace.value.context],
  ];
  const env = {
    ...secrets.value.env,
    ...caches.value.env,
    ...builder.value.env,
    SOURCE_DATE_EPOCH: String(options.sourceDateEpoch),
    // The copy lies in the user's checkout, whose commit must not reach the builder.
    BUILDX_GIT_INFO: '0',
  };
  const hosts = [...new Set([...registriesOf(context), ...caches.value.hosts])].sort();
  const built = await context.exec('buildx', args, { env, hosts });
  if (!built.ok) return fail(explain(built.failure, asked));
  return ok({ layout: join(context.files.work, LAYOUT), materials: materialsOf(context) });
}

/** A base that is another entry's image may be in a layout, which buildx reads by itself. */
function sourceOf(base: Pinned, root: string): string {
  return isLocation(base)
    ? `oci-layout://${resolve(root, base.path)}@${base.digest}`
    : `docker-image://${formatPinned(base)}`;
}

/** Whose credentials buildx needs for the bases. */
function registriesOf({ bases, inputs }: BuildContext): readonly string[] {
  const references = [...Object.values(bases), ...inputs.bases.map(({ reference }) => reference)];
  return references.filter((reference) => !isLocation(reference)).map(({ registry }) => registry);
}

/** Each base as it was named, with the digest that was used. */
function materialsOf({ bases, inputs }: BuildContext): readonly Material[] {
  return inputs.bases.map(({ text, reference }) => {
    const base = Object.hasOwn(bases, text) ? bases[text] : undefined;
    const from = base ?? reference;
    const uri = isLocation(from) ? formatRepository(from) : `docker-image://${formatRepository(from)}`;
    if (base === undefined) return { uri, name: text };
    const [algorithm = '', value = ''] = base.digest.split(':', 2);
    return { uri, name: text, digest: { [algorithm]: value } };
  });
}
