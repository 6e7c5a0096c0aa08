/** One SPDX document for each platform in which syft finds packages. */
import {
  countPackages,
  fail,
  formatPinned,
  formatPlatform,
  ok,
  parseReference,
  pin,
  readToolOutput,
  stableSpdx,
} from '@slipway/core';
import type { Child, ContractInput, ContractOutput, Failure, Pinned, Result, TaskContext } from '@slipway/core';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createdOf } from './created.ts';

type Documents = ContractOutput<'sbom.make@1'>;

export async function makeSboms(
  { subject, children }: ContractInput<'sbom.make@1'>,
  context: TaskContext,
): Promise<Result<Documents>> {
  const documents: Documents['documents'][number][] = [];
  for (const child of children) {
    const image = pin(subject, child.digest);
    // Whoever calls may have made the names up; only what is a reference may become an argument.
    const named = parseReference(formatPinned(image));
    if (!named.ok) return named;
    const created = await createdOf(image, context.registry);
    if (!created.ok) return created;
    // What is no container image has no packages that syft could read.
    if (created.value.kind === 'other') continue;
    const spdx = await scan(image, child, context);
    if (!spdx.ok) return spdx;
    // A list of nothing would look like an image that was read and found empty.
    if (countPackages(spdx.value) === 0) continue;
    documents.push({ digest: child.digest, spdx: stableSpdx(spdx.value, child.digest, created.value.created) });
  }
  return ok({ documents });
}

async function scan(image: Pinned, { platform, digest }: Child, context: TaskContext): Promise<Result<unknown>> {
  const output = join(context.files.work, `${digest.replace(':', '-')}.spdx.json`);
  const config = join(context.files.work, 'syft.yaml');
  await writeFile(config, '');
  const args = [
    'scan',
    // Nothing in the working directory or the home may leave packages out.
    ...['--config', config, '--quiet', '--platform', formatPlatform(platform), '--output', `spdx-json=${output}`],
    // Any other source could be a local image that only has the same name.
    `registry:${formatPinned(image)}`,
  ];
  const env = {
    SYFT_CHECK_FOR_APP_UPDATE: 'false',
    ...(context.plainHttp(image.registry) ? { SYFT_REGISTRY_INSECURE_USE_HTTP: 'true' } : {}),
  };
  const done = await context.exec('syft', args, { hosts: [image.registry], env });
  if (!done.ok) return fail(explain(done.failure, image));
  return readToolOutput<unknown>('syft', output, JSON.parse);
}

function explain(failure: Failure, image: Pinned): Failure {
  if (failure.reason !== 'tool') return failure;
  if (/UNAUTHORIZED|DENIED|401 Unauthorized|403 Forbidden/.test(failure.output ?? '')) {
    return {
      ...failure,
      class: 'permanent',
      message: `syft may not read ${formatPinned(image)}`,
      hint: 'log in to the registry with an account that may read the repository',
    };
  }
  const hint =
    failure.class === 'transient'
      ? 'syft could not reach the registry; try again later'
      : 'the lines of syft above say why';
  return { ...failure, message: `syft could not read ${formatPinned(image)}: ${failure.message}`, hint };
}
