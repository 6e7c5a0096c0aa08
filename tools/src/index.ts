/** Finds and builds the real tools. */
export { cacheFolder } from './cache.ts';
export type { Environment } from './cache.ts';
export { ensureDebianPackages } from './debian.ts';
export type { DebianOptions, Run } from './debian.ts';
export { createToolFinder, pinnedNeed } from './find.ts';
export type { FinderOptions } from './find.ts';
export { installTools } from './install.ts';
export type { InstallOptions, InstallProgress } from './install.ts';
export { catalogue, pinOf } from './pins.ts';
export type { Pin, VersionProbe } from './pins.ts';
