/** One run of ko: https://ko.build/reference/ko_build/ */
import { configFailure, fail, formatPinned, formatPlatform, ok } from '@slipway/core';
import type { BuildContext, Built, Failure, Result } from '@slipway/core';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

/** Nothing of the machine or of Git in the program, and no module but those that go.sum knows. */
const GO = {
  GOFLAGS: '-mod=readonly -trimpath -buildvcs=false',
  GOTOOLCHAIN: 'local',
  GOWORK: 'off',
  CGO_ENABLED: '0',
};
/** Milliseconds: the first build of a machine compiles Go's own library, for each platform. */
const LIMIT = 30 * 60_000;

/** `baseText`: the base as the options have it; its pinned image is among the context's. */
export async function buildWithKo(context: BuildContext, baseText: string, ldflags: string): Promise<Result<Built>> {
  const { files } = context;
  const base = context.bases[baseText];
  if (base === undefined) return fail(configFailure(`the base image "${baseText}" was not pinned`));
  const folder = await copySources(context);
  const layout = join(files.work, 'layout');
  const configFile = join(files.work, '.ko.yaml');
  // A .ko.yaml of the checkout could name another base, by a tag, and nobody would see it in the plan.
  await writeFile(configFile, JSON.stringify({ defaultBaseImage: formatPinned(base) }));
  const flags = [
    '--push=false',
    '--sbom=none',
    // Relative: ko also reads it as a name of a repository, which can hold no capital letter.
    `--oci-layout-path=${relative(folder, layout)}`,
    `--platform=${context.platforms.map(formatPlatform).join(',')}`,
    ...(ldflags === '' ? [] : [`--ldflags=${ldflags}`]),
    ...(context.plainHttp(base.registry) ? ['--insecure-registry'] : []),
  ];
  const built = await context.exec('ko', ['build', ...flags, '--', '.'], {
    cwd: folder,
    // What Go downloads and compiles is kept where the home is, unless the user says where.
    env: { ...GO, HOME: files.cache, KO_CONFIG_PATH: configFile, KO_DOCKER_REPO: 'slipway.invalid/build' },
    hosts: [base.registry],
    timeout: LIMIT,
  });
  if (!built.ok) return fail(explain(built.failure));
  return ok({ layout, materials: [{ uri: `oci://${formatPinned(base)}`, digest: sha256Of(base.digest) }] });
}

/** Copies exactly the files that decide whether it is built again; answers with the folder of the program among them. */
async function copySources({ entry, files, inputs }: BuildContext): Promise<string> {
  const checkout = join(files.work, 'checkout');
  for (const path of inputs.files) {
    await mkdir(dirname(join(checkout, path)), { recursive: true });
    await copyFile(join(files.root, path), join(checkout, path));
  }
  return join(checkout, dirname(entry.source));
}

/** `sha256:1f2e…` as provenance has it. */
function sha256Of(digest: string): Readonly<Record<string, string>> {
  const [algorithm = 'sha256', hex = ''] = digest.split(':');
  return { [algorithm]: hex };
}

function explain(failure: Failure): Failure {
  if (failure.reason !== 'tool') return failure;
  const output = failure.output ?? '';
  if (/exec: "go": executable file not found/.test(output)) {
    return { ...failure, class: 'permanent', hint: 'ko starts Go: install it, and put it on PATH' };
  }
  if (/missing go\.sum entry|updates to go\.mod needed/.test(output)) {
    return { ...failure, class: 'permanent', hint: 'run "go mod tidy", and commit go.mod and go.sum' };
  }
  if (/importpath .* is not supported|not a main package|is not `package main`/.test(output)) {
    return { ...failure, class: 'permanent', hint: 'the source is the Go file that has "package main"' };
  }
  return failure;
}
