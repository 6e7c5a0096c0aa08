/** Registry hosts and repository prefixes in the settings. */
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import { parseRepository } from '../reference.ts';
import { quote } from './quote.ts';

/** `docker.io` or `docker.io/library`, normalised as references are; a `/` at its end says no more than none. */
export function parsePrefix(text: string): Result<string, ConfigFailure> {
  const [head = '', ...rest] = text.replace(/\/$/, '').split('/');
  const host = parseHost(head);
  if (!host.ok || rest.length === 0) return host;
  // With a last component of its own, so that Docker Hub's short names are not made long.
  const repository = parseRepository(`${head}/${rest.join('/')}/name`);
  if (repository.ok) return ok(`${host.value}/${rest.join('/')}`);
  const hint = 'for example docker.io/library';
  return fail(configFailure(`${quote(text)} is not the beginning of a repository name`, hint));
}

/** `registry.example`, `localhost:5000`. */
export function parseHost(text: string): Result<string, ConfigFailure> {
  const named = text.includes('.') || text.includes(':') || text === 'localhost';
  const repository = named && !text.includes('/') ? parseRepository(`${text}/a/b`) : undefined;
  if (repository?.ok) return ok(repository.value.registry);
  return fail(configFailure(`${quote(text)} is not a registry host`, 'for example docker.io or registry.example:5000'));
}
