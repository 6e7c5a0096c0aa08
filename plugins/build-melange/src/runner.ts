/** What packages are built in, and which architectures this machine can run there. */
import { apkArchitectureOf } from '@slipway/core';

/** Of Docker's client, and of melange's own QEMU runner. */
export const runnerVariables: readonly string[] = [
  ...['DOCKER_HOST', 'DOCKER_TLS_VERIFY', 'DOCKER_CERT_PATH', 'DOCKER_API_VERSION'],
  ...['QEMU_KERNEL_IMAGE', 'QEMU_KERNEL_MODULES', 'QEMU_BASE_INITRAMFS', 'QEMU_ADDITIONAL_PACKAGES', 'QEMU_TESTING'],
];

/** Node's name of a processor → Alpine's names of what it runs without help. */
const NATIVE: Readonly<Record<string, readonly string[]>> = {
  x64: ['x86_64', 'x86'],
  ia32: ['x86'],
  arm64: ['aarch64'],
  arm: ['armv7', 'armhf'],
  ppc64: ['ppc64le'],
  s390x: ['s390x'],
  riscv64: ['riscv64'],
  loong64: ['loongarch64'],
};

/** Alpine's name → how QEMU calls it. */
const EMULATORS: Readonly<Record<string, string>> = { x86: 'i386', armv7: 'arm', armhf: 'arm' };

/** `aarch64` → `qemu-aarch64`: the entry in the kernel's list of emulators, and Debian's name of the program. */
export function emulatorOf(architecture: string): string {
  return `qemu-${EMULATORS[architecture] ?? architecture}`;
}

/**
 * Those of `architectures` (OCI's names) that this machine cannot run, as Alpine names them. `emulators`: names of what
 * the kernel has an emulator for.
 */
export function foreignArchitectures(
  architectures: readonly string[],
  { processor, emulators }: { readonly processor: string; readonly emulators: ReadonlySet<string> },
): readonly string[] {
  const names = architectures.map((text) => apkArchitectureOf(text) ?? text);
  return [...new Set(names)].filter(
    (name) => !(NATIVE[processor] ?? []).includes(name) && !emulators.has(emulatorOf(name)),
  );
}
