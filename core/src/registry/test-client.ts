/** What the tests of this folder share: clients of scripted registries, and results that must be good or bad. */
import type { Failure, Result } from '../failure.ts';
import { parseReference, type Pinned, type Reference, type Repository } from '../reference.ts';
import { createRegistry, type RegistryOptions, type RemoteRegistry } from './client.ts';
import type { Credentials, Login } from './credentials.ts';

export function must<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(`${result.failure.class}: ${result.failure.message}`);
}

export function failureOf(result: Result<unknown>): Failure {
  if (!result.ok) return result.failure;
  throw new Error('this should have failed');
}

export function logins(table: Readonly<Record<string, Login>> = {}): Credentials {
  return {
    login: async (registry) => ({ ok: true, value: table[registry] }),
    dockerConfigFor: async () => ({ auths: {} }),
  };
}

/** A client that may speak plain HTTP to loopback; disposes of itself. */
export function client(options: Partial<RegistryOptions> = {}): RemoteRegistry & AsyncDisposable {
  const registry = createRegistry({
    plainHttp: (host) => host.startsWith('127.0.0.1:'),
    mirrors: [],
    credentials: logins(),
    perHost: 6,
    ...options,
  });
  return { ...registry, [Symbol.asyncDispose]: () => registry.close() };
}

export function reference(text: string): Reference {
  return must(parseReference(text));
}

export function pinned(text: string): Pinned {
  const parsed = reference(text);
  if (parsed.kind !== 'pinned') throw new Error(`${text} has no digest`);
  return parsed;
}

export function repository(host: string, path: string): Repository {
  return { registry: host, path };
}

/** `GET /v2/a/manifests/1`, in the order they came. */
export function lines(registry: {
  readonly log: readonly { readonly method: string; readonly path: string }[];
}): readonly string[] {
  return registry.log.map(({ method, path }) => `${method} ${path}`);
}
