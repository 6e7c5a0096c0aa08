/**
 * Answers that repeat what they were sent, as proxies do that explain what was wrong with a request: what is secret in it must
 * not become part of a message.
 */
import { createRedactor } from '../exec/redact.ts';
import { ok } from '../failure.ts';
import type { HttpResponse } from './http.ts';

/** Headers that are for people. Others mean something as they are: an address may well hold again what it was given. */
const SHOWN: ReadonlySet<string> = new Set(['warning']);

/** `secrets` are asked for only where there is something to be read that may be shown: such a header, or the body of an error. */
export function withoutSecrets(response: HttpResponse, secrets: () => readonly string[]): HttpResponse {
  // Known ones only: the text may be JSON, and has to stay that.
  const mask = (text: string): string => createRedactor(secrets()).values(text);
  return {
    ...response,
    header(name) {
      const value = response.header(name);
      return value !== undefined && SHOWN.has(name) ? mask(value) : value;
    },
    async bytes(limit) {
      const bytes = await response.bytes(limit);
      if (response.status < 400 || !bytes.ok || bytes.value.byteLength === 0) return bytes;
      return ok(Buffer.from(mask(Buffer.from(bytes.value).toString('utf8'))));
    },
  };
}

/** What a header `Authorization` gives away: a token, or a name and a password. */
export function secretsInHeader(authorization: string | undefined): readonly string[] {
  const [scheme, value = ''] = authorization?.split(' ') ?? [];
  if (scheme !== 'Basic') return [value];
  const login = Buffer.from(value, 'base64').toString('utf8');
  return [value, login, login.slice(login.indexOf(':') + 1)];
}

/** The secret parts of an address that a registry gave us: who knows the address of an upload may write to it. */
export function secretsInAddress({ pathname, searchParams }: URL): readonly string[] {
  return [pathname.slice(pathname.lastIndexOf('/') + 1), ...searchParams.values()];
}
