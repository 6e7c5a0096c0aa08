/** Answers of a registry that are not what was asked for, as failures a reader can act on. */
import type { RegistryFailure } from '../failure.ts';
import type { HttpResponse } from './http.ts';
import type { Side } from './model.ts';

/** Bytes of an error's body that are looked at. */
export const MAX_ERROR = 16 * 1024;

/** Who was asked what, for messages. */
export interface Asked {
  readonly side: Side;
  /** The registry as references name it: what `docker login` takes. */
  readonly registry: string;
  /** As `the manifest docker.io/library/alpine:3.20`, or `to store the manifest …`. */
  readonly what: string;
}

type Details = Pick<RegistryFailure, 'hint' | 'status' | 'code'>;

export function registryFailure(
  asked: Pick<Asked, 'side' | 'registry'>,
  kind: 'transient' | 'permanent',
  message: string,
  details: Details = {},
): RegistryFailure {
  return { reason: 'registry', class: kind, side: asked.side, host: asked.registry, message, ...details };
}

/** The registry sent bytes that are not what their digest says: nothing that comes from it can be used. */
export function lied(asked: Asked, detail: string): RegistryFailure {
  return registryFailure(asked, 'permanent', `${asked.registry} sent wrong bytes for ${thing(asked)}: ${detail}`, {
    hint: 'the registry, a mirror or a proxy on the way is broken or tampered with; nothing of it was used',
  });
}

/** The registry says that what it stored has another digest than what it was sent. */
export function storedOther(asked: Asked, sent: string, stored: string): RegistryFailure {
  const message = `${asked.registry} says that it stored ${stored} for ${thing(asked)}, where ${sent} was sent`;
  return registryFailure(asked, 'permanent', message, {
    hint: `${asked.registry}, or a proxy before it, is broken or changes what is sent: tell whoever runs it`,
  });
}

/** What it was about, whatever was to be done with it. */
export function thing({ what }: Pick<Asked, 'what'>): string {
  return what.replace(/^to (?:store|mount|delete|cancel) /, '');
}

/** Whether the same request may succeed later. */
export function isTransientStatus(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || (status >= 500 && status !== 501 && status !== 505);
}

/** Error codes by which registries say that there is no such thing, sometimes without the status 404. */
const ABSENT: ReadonlySet<string> = new Set(['MANIFEST_UNKNOWN', 'NAME_UNKNOWN', 'NOT_FOUND']);

export interface Refusal {
  /** The registry says that there is no such thing. */
  readonly absent: boolean;
  readonly failure: RegistryFailure;
  /** The beginning of what it said, on one line. */
  readonly text: string;
}

/** Reads the rest of an answer that is not what was hoped for. */
export async function refusal(asked: Asked, response: HttpResponse): Promise<Refusal> {
  const { status } = response;
  const said = await readError(response);
  const details = { status, ...(said.code === undefined ? {} : { code: said.code }) };
  const answer = `${status}${said.code === undefined ? '' : ` ${said.code}`}${said.message === undefined ? '' : `: ${said.message}`}`;
  const absent = status === 404 || (status < 500 && said.code !== undefined && ABSENT.has(said.code));
  const kind = isTransientStatus(status) ? 'transient' : 'permanent';
  const hint = hintFor(response, asked.registry);
  const refused = asked.what.startsWith('to ') ? 'refused' : 'did not give';
  const verb = status === 401 || status === 403 ? 'does not allow' : refused;
  const message = `${asked.registry} ${verb} ${asked.what} (${answer})`;
  return {
    absent,
    text: said.text,
    failure: registryFailure(asked, kind, message, { ...details, hint }),
  };
}

function hintFor({ status, refusedLogin }: HttpResponse, registry: string): string {
  if (refusedLogin === true) {
    return `the login for ${registry} is not accepted: log in again with "docker login ${registry}", by an account that may do this`;
  }
  if (status === 401) return `log in with "docker login ${registry}", or check that the repository exists`;
  if (status === 403) {
    return `check that the account may do this, and that the repository exists; "docker login ${registry}" changes the account`;
  }
  if (status === 413) {
    return `${registry}, or a proxy before it, takes nothing that large: raise the limit there (client_max_body_size of nginx)`;
  }
  if (status === 404) return 'check the name; some registries need the repository to be made first';
  if (status === 429) return `${registry} limits requests: log in, use a mirror, or try again later`;
  if (status >= 500) return 'try again later';
  return status < 400 ? oddHint(registry) : `${registry} has a reason of its own: whoever runs it can say which`;
}

/** What to do about a registry that does what none does, and what no other request would mend. */
export function oddHint(registry: string): string {
  return `${registry}, or a proxy before it, does not answer as registries do: check the host's name, and tell whoever runs it`;
}

/** What to do about an answer that no registry gives; undefined where it may be one's. `type`: its content type. */
export function pageHint(type: string | undefined, registry: string): string | undefined {
  if (!/\bhtml\b/i.test(type ?? '')) return undefined;
  return `a web page came in its place: something answers for ${registry}, as a proxy or a page to log in; check the host's name, and the proxy`;
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#error-codes; anything else is ignored. */
async function readError(
  response: HttpResponse,
): Promise<{ readonly code?: string; readonly message?: string; readonly text: string }> {
  const bytes = await response.bytes(MAX_ERROR);
  if (!bytes.ok) return { text: '' };
  const body = new TextDecoder().decode(bytes.value);
  const text = plain(body.slice(0, 2000), 1000);
  try {
    const json: unknown = JSON.parse(body);
    const errors = property(json, 'errors');
    const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
    const code = property(first, 'code');
    const message = property(first, 'message');
    return {
      text,
      ...(typeof code === 'string' && /^[A-Z_]{1,64}$/.test(code) ? { code } : {}),
      ...(typeof message === 'string' && message !== '' ? { message: plain(message) } : {}),
    };
  } catch {
    return { text };
  }
}

/** One short line: an answer must not be able to draw on the terminal. */
export function plain(text: string, longest = 200): string {
  return text
    .replace(/[\p{C}\s]+/gu, ' ')
    .trim()
    .slice(0, longest);
}

/** A property of foreign JSON data. */
export function property(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}
