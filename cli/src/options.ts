import type { Asked } from '@slipway/core';

export const DEFAULT_CONFIG = 'config.yaml';

/** What every command that reads the config may be told. */
export interface Options {
  readonly config: string;
  readonly settings?: string;
  readonly only: readonly string[];
  readonly exclude: readonly string[];
  readonly json: boolean;
  readonly progress: 'auto' | 'tty' | 'plain' | 'json' | 'quiet';
  /** Tasks that keep a CPU busy at once; the settings' `limits.cpu` when absent. */
  readonly jobs?: number;
  readonly to?: string;
  /** Exactly what the lock says. */
  readonly frozen: boolean;
  readonly fail: 'subgraph' | 'fast' | 'now';
  /** Milliseconds for the whole command. */
  readonly timeout?: number;
}

/** What other commands must be told too, to be about the same images, if there is anything. */
export function askedOf({ config, settings, to }: Options): { readonly asked?: Asked } {
  const asked = {
    ...(config === DEFAULT_CONFIG ? {} : { config }),
    ...(settings === undefined ? {} : { settings }),
    ...(to === undefined ? {} : { to }),
  };
  return Object.keys(asked).length === 0 ? {} : { asked };
}
