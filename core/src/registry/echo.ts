/**
 * Answers that repeat what they were sent, as proxies do that explain what was wrong with a request: what is secret in it must
 * not become part of a message.
 */
import { createRedactor } from '../exec/redact.ts';
import { ok } from '../failure.ts';
import type { HttpResponse } from './http.ts';

/** `secrets` are asked for only where there is an error to be read. */
export function withoutSecrets(response: HttpResponse, secrets: () => readonly string[]): HttpResponse {
  if (response.status < 400) return response;
  return {
    ...response,
    async bytes(limit) {
      const bytes = await response.bytes(limit);
      if (!bytes.ok || bytes.value.byteLength === 0) return bytes;
      // Known ones only: the text may be JSON, and has to stay that.
      const { values } = createRedactor(secrets());
      return ok(Buffer.from(values(Buffer.from(bytes.value).toString('utf8'))));
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

/** What an address that a registry gave us gives away: whoever knows that of an upload may write to it. */
export function secretsInAddress({ pathname, searchParams }: URL): readonly string[] {
  return [pathname.slice(pathname.lastIndexOf('/') + 1), ...searchParams.values()];
}
