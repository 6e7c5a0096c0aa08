/** Platforms as people write them: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md, and Alpine's names. */
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import { formatPlatform, type Platform } from '../oci/model.ts';
import { quote } from './quote.ts';
import { nearest } from './suggest.ts';

/** Alpine's and other common names of an architecture → the one the OCI specification has. */
const ARCHITECTURES: Readonly<Record<string, string>> = {
  amd64: 'amd64',
  x86_64: 'amd64',
  arm64: 'arm64',
  aarch64: 'arm64',
  armv7: 'arm/v7',
  armhf: 'arm/v6',
  '386': '386',
  x86: '386',
  ppc64le: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
  loongarch64: 'loong64',
};

/** What a platform may name besides: https://go.dev/doc/install/source#environment */
const OTHERS = ['arm', 'loong64', 'mips', 'mipsle', 'mips64', 'mips64le', 'ppc64', 'wasm'];

const PLATFORM = /^(?<os>[a-z0-9]+)\/(?<architecture>[a-z0-9_]+)(?:\/(?<variant>v[0-9]+))?$/;

/** `x86_64` → linux/amd64, `armv7` → linux/arm/v7, `linux/arm64/v8` → linux/arm64. */
export function parsePlatform(text: string): Result<Platform, ConfigFailure> {
  const short = Object.hasOwn(ARCHITECTURES, text) ? ARCHITECTURES[text] : undefined;
  const match = PLATFORM.exec(short === undefined ? text : `linux/${short}`);
  const { os = '', architecture = '', variant } = match?.groups ?? {};
  const named = Object.hasOwn(ARCHITECTURES, architecture)
    ? ARCHITECTURES[architecture]
    : OTHERS.find((name) => name === architecture);
  if (named === undefined) {
    const meant = nearest(text, [
      ...Object.keys(ARCHITECTURES),
      ...Object.values(ARCHITECTURES).map((name) => `linux/${name}`),
    ]);
    const hint = meant === undefined ? 'for example linux/amd64, linux/arm64, or x86_64' : `did you mean "${meant}"?`;
    return fail(configFailure(`${quote(text)} is not a platform`, hint));
  }
  const [name = named, impliedVariant] = named.split('/');
  const given = variant ?? impliedVariant;
  // Version 8 is what arm64 means: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-index.md#platform-variants
  const shown = name === 'arm64' && given === 'v8' ? undefined : given;
  return ok({ os, architecture: name, ...(shown === undefined ? {} : { variant: shown }) });
}

/** Without those that were named twice, as amd64 and x86_64. */
export function distinctPlatforms(platforms: readonly Platform[]): readonly Platform[] {
  return [...new Map(platforms.map((platform) => [formatPlatform(platform), platform])).values()];
}
