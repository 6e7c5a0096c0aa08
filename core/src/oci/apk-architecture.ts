/** Alpine's names of architectures and OCI's. https://wiki.alpinelinux.org/wiki/Architecture */
import { formatPlatform, type Platform } from './model.ts';

const PLATFORMS: ReadonlyMap<string, Platform> = new Map([
  ['x86_64', { os: 'linux', architecture: 'amd64' }],
  ['aarch64', { os: 'linux', architecture: 'arm64' }],
  ['armv7', { os: 'linux', architecture: 'arm', variant: 'v7' }],
  ['armhf', { os: 'linux', architecture: 'arm', variant: 'v6' }],
  ['x86', { os: 'linux', architecture: '386' }],
  ['ppc64le', { os: 'linux', architecture: 'ppc64le' }],
  ['s390x', { os: 'linux', architecture: 's390x' }],
  ['riscv64', { os: 'linux', architecture: 'riscv64' }],
  ['loongarch64', { os: 'linux', architecture: 'loong64' }],
]);

/** `linux/arm64` → `aarch64`; `undefined` when Alpine has no name for it. A variant that is OCI's default may be written. */
export function apkArchitecture(platform: Platform): string | undefined {
  const variant = platform.architecture === 'arm64' && platform.variant === 'v8' ? undefined : platform.variant;
  const arm = platform.architecture === 'arm' && variant === undefined ? 'v7' : variant;
  for (const [name, known] of PLATFORMS) {
    if (known.os === platform.os && known.architecture === platform.architecture && known.variant === arm) return name;
  }
  return undefined;
}

/** The same for OCI's architecture and variant as one text: `arm64`, `arm/v7`. */
export function apkArchitectureOf(text: string): string | undefined {
  const [architecture = '', variant]: (string | undefined)[] = text.split('/');
  return apkArchitecture({ os: 'linux', architecture, ...(variant === undefined ? {} : { variant }) });
}

/** An item of `archs:`, which apko takes in Alpine's spelling or in OCI's: `aarch64`, `arm64`, `arm/v7`. */
export function parseArchitecture(text: string): Platform | undefined {
  const known = PLATFORMS.get(text);
  if (known !== undefined) return known;
  for (const platform of PLATFORMS.values()) if (formatPlatform(platform) === `linux/${text}`) return platform;
  return undefined;
}
