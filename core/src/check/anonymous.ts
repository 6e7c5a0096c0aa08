/** A client as anybody has it: no login, and no mirror in between. */
import type { Settings } from '../config/settings-model.ts';
import { ok } from '../failure.ts';
import { createRegistry } from '../registry/client.ts';
import type { Registry } from '../registry/model.ts';
import { connectionRules } from '../run/open-registry.ts';

/** To be closed by the caller. */
export function anonymousRegistry(settings: Settings, signal: AbortSignal): Registry {
  return createRegistry({
    ...connectionRules(settings),
    mirrors: [],
    credentials: { login: async () => ok(undefined), dockerConfigFor: async () => ({ auths: {} }) },
    signal,
  });
}
