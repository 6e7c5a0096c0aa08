/** What buildx's last words mean, and what the reader can do. */
import type { Failure, ToolFailure } from '@slipway/core';
import type { DockerOptions } from './options.ts';

interface Meaning {
  readonly pattern: RegExp;
  readonly message?: (options: DockerOptions) => string;
  readonly hint: string;
  /** Left as the core judged it when absent. */
  readonly class?: ToolFailure['class'];
}

export const NEEDED =
  'images are written as OCI layouts, which needs a builder of the driver docker-container, kubernetes or remote, or a Docker that keeps its images in containerd';
export const MAKE_ONE =
  'run: docker buildx create --use --driver docker-container; or set the option "endpoint" of the plugin build-docker to a buildkitd, as unix:///run/buildkit/buildkitd.sock';

/** In place of an image that no stage needs: nobody can have this name, so that it is never fetched by its tag. */
export const SPARE_BASE = 'left-out.invalid/stage:none';

/** The first that fits. */
const meanings: readonly Meaning[] = [
  {
    pattern:
      /exporter is not supported for the docker driver|docker exporter does not currently support|(?:Multi-platform build|Cache export) is not supported for the docker driver/i,
    message: () => `the builder cannot write OCI layouts: ${NEEDED}`,
    hint: MAKE_ONE,
    class: 'permanent',
  },
  {
    pattern: /no builder .* found/i,
    message: ({ builder }) => `buildx knows no builder "${builder ?? ''}"`,
    hint: `docker buildx ls lists the builders; ${MAKE_ONE}`,
    class: 'permanent',
  },
  {
    pattern:
      /(?:failed|cannot|unable) to connect to the docker (?:api|daemon)|is the docker daemon running|docker daemon is not running/i,
    message: ({ builder }) =>
      `the builder ${builder === undefined ? 'that buildx has now' : `"${builder}"`} runs in Docker, which cannot be reached: ${NEEDED}`,
    hint: MAKE_ONE,
    class: 'permanent',
  },
  {
    pattern: /server gave HTTP response to HTTPS client/i,
    hint: 'the builder reads registries by HTTPS unless its own configuration says otherwise: in buildkitd.toml, [registry."HOST:PORT"] with http = true',
    class: 'permanent',
  },
  {
    pattern:
      /resolve image config for docker-image:\/\/|failed to resolve source metadata for docker\.io\/docker\/dockerfile/i,
    hint: 'the line "# syntax=…" makes the builder fetch the Dockerfile language from a registry: leave the line out, name a copy in your registry, or give the builder a mirror',
  },
  {
    pattern: /left-out\.invalid/,
    message: () =>
      'a base of the Dockerfile takes ON BUILD from a stage whose own base was left out, since nothing in the file needs it',
    hint: 'name that stage in the one that is built, as COPY --from=STAGE, or leave ONBUILD out of the base',
    class: 'permanent',
  },
  {
    pattern: /exec format error|exec user process caused/i,
    hint: 'the builder cannot run programs of that platform: install emulation (tonistiigi/binfmt), or use a builder of that platform',
    class: 'permanent',
  },
  {
    pattern: /secret .*not found|secret not found/i,
    hint: 'name it under "secrets" in the options of the plugin build-docker',
    class: 'permanent',
  },
  {
    pattern: /401 Unauthorized|403 Forbidden|pull access denied|authorization failed|insufficient_scope/i,
    hint: 'log in to the registry of the base image with an account that may read it',
    class: 'permanent',
  },
];

/** `endpoint`: where the builder in question listens, if buildx was told. */
export function explain(failure: Failure, options: DockerOptions, endpoint: string | undefined): Failure {
  if (failure.reason !== 'tool') return failure;
  const output = `${failure.message}\n${failure.output ?? ''}`;
  const meaning = meanings.find(({ pattern }) => pattern.test(output));
  if (meaning !== undefined) {
    const message = meaning.message?.(options) ?? failure.message;
    return { ...failure, class: meaning.class ?? failure.class, message, hint: meaning.hint };
  }
  if (endpoint !== undefined && /waiting for connection/i.test(output)) {
    const message = `no buildkitd answers at ${endpoint}`;
    const option = options.endpoints === undefined ? 'endpoint' : 'endpoints';
    return {
      ...failure,
      class: 'permanent',
      message,
      hint: `start it, or correct the option "${option}" of the plugin build-docker`,
    };
  }
  return failure;
}
