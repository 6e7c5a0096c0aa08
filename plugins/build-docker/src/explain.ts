/** What buildx's last words mean, and what the reader can do. */
import type { Failure, ToolFailure } from '@slipway/core';
import { posix } from 'node:path';
import type { DockerOptions } from './options.ts';

interface Meaning {
  readonly pattern: RegExp;
  readonly message?: (options: DockerOptions) => string;
  readonly hint: string;
  /** Left as the core judged it when absent. */
  readonly class?: ToolFailure['class'];
  /** Also what a step says that ran and failed. */
  readonly ofSteps?: true;
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
      /^ > resolve image config for docker-image:\/\/|failed to resolve source metadata for docker\.io\/docker\/dockerfile/im,
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
    ofSteps: true,
  },
  {
    pattern: /secret .*not found|secret not found/i,
    hint: 'name it under "secrets" in the options of the plugin build-docker',
    class: 'permanent',
  },
  {
    pattern: /rpc error: code = Unavailable|error reading from server/i,
    message: () => 'the builder ended while it built, or the connection to it was lost',
    hint: 'see why in its log, as for want of memory; trying again can help',
    class: 'transient',
  },
  {
    pattern: /failed to calculate checksum of ref .*: not found/i,
    hint: 'look for it in the build context, or in the image or stage after --from: no context has .git, .slipway, empty folders, or what its ignore file leaves out',
    class: 'permanent',
  },
  {
    pattern: /401 Unauthorized|403 Forbidden|pull access denied|authorization failed|insufficient_scope/i,
    hint: 'log in to the registry of the base image with an account that may read it',
    class: 'permanent',
  },
];

/** The words of such a step, and what it is, are its author's: an address that answers 403 is no registry of a base. */
const STEP_FAILED = /process ".*" did not complete successfully: exit code: \d+$/m;

/** Lines in which buildx says what went wrong, and with what of its own; the others may tell of what went well, or are words of steps. */
const OF_BUILDX = /^(?:#\d+ )?ERROR: |^ > (?:\[internal\] |resolve image config for )/;

export interface Asked {
  readonly options: DockerOptions;
  /** Where the builder in question listens, if buildx was told. */
  readonly endpoint: string | undefined;
  /** The Dockerfile, relative to the root. */
  readonly source: string;
}

export function explain(given: Failure, { options, endpoint, source }: Asked): Failure {
  if (given.reason !== 'tool') return given;
  const output = given.output ?? '';
  const ofStep = STEP_FAILED.test(output);
  const heard = [given.message, ...output.split('\n').filter((each) => ofStep || OF_BUILDX.test(each))].join('\n');
  const line = lineIn(output, posix.basename(source));
  const failure = line === undefined ? given : { ...given, at: { file: source, line, column: 1 } };
  const meaning = meanings.find(({ pattern, ofSteps }) => (!ofStep || ofSteps === true) && pattern.test(heard));
  if (meaning !== undefined) {
    const message = meaning.message?.(options) ?? failure.message;
    return { ...failure, class: meaning.class ?? failure.class, message, hint: meaning.hint };
  }
  if (endpoint !== undefined && !ofStep && /waiting for connection/i.test(heard)) {
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

/** Which line of the Dockerfile buildx quotes, and so blames: it says so above what it quotes. */
function lineIn(output: string, name: string): number | undefined {
  const lines = output.split('\n');
  const at = lines.findLastIndex((line, index) => line.startsWith(`${name}:`) && lines[index + 1]?.startsWith('-----'));
  const number = Number(lines[at]?.slice(name.length + 1));
  return Number.isSafeInteger(number) && number > 0 ? number : undefined;
}
