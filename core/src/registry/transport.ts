/** What goes wrong below HTTP: names, connections, certificates. */
import type { RegistryFailure } from '../failure.ts';
import type { HttpRequest } from './http.ts';
import { registryFailure } from './refusal.ts';

interface Cause {
  readonly kind: 'transient' | 'permanent';
  readonly text: string;
  readonly hint?: string;
}

const PROXY =
  'see what HTTPS_PROXY, HTTP_PROXY and NO_PROXY say, and whether the proxy wants a name and a password there';

const CAUSES: Readonly<Record<string, Cause>> = {
  ENOTFOUND: {
    kind: 'permanent',
    text: 'its host name is not known',
    hint: 'check the name, and the network and proxy settings',
  },
  EAI_AGAIN: { kind: 'transient', text: 'its host name cannot be looked up now' },
  ECONNREFUSED: { kind: 'transient', text: 'it refuses connections' },
  ECONNRESET: { kind: 'transient', text: 'it closed the connection' },
  EPIPE: { kind: 'transient', text: 'it closed the connection' },
  ETIMEDOUT: { kind: 'transient', text: 'it does not answer' },
  UND_ERR_SOCKET: { kind: 'transient', text: 'it closed the connection' },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: { kind: 'transient', text: 'its answer broke off' },
  UND_ERR_CONNECT_TIMEOUT: { kind: 'transient', text: 'it does not answer' },
  UND_ERR_HEADERS_TIMEOUT: { kind: 'transient', text: 'it does not answer' },
  UND_ERR_HEADERS_OVERFLOW: {
    kind: 'permanent',
    text: 'the headers of its answer have no end',
    hint: 'something else than a registry may answer there, as a proxy: check the name, and tell whoever runs it',
  },
  ANNOUNCEMENTS: { kind: 'transient', text: 'it announces an answer again and again, and gives none' },
  UND_ERR_BODY_TIMEOUT: { kind: 'transient', text: 'it stopped in the middle of an answer' },
  UND_ERR_PRX_TLS: { kind: 'permanent', text: "the proxy's own certificate is not trusted", hint: PROXY },
  UND_ERR_PRX_CONN: { kind: 'transient', text: 'the proxy closed the connection', hint: PROXY },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    kind: 'permanent',
    text: 'it does not speak TLS',
    hint: 'if it is meant to be spoken to by plain HTTP, list it in plainHttp in the settings',
  },
  EPROTO: {
    kind: 'permanent',
    text: 'it does not speak TLS',
    hint: 'if it is meant to be spoken to by plain HTTP, list it in plainHttp in the settings',
  },
};

const NO_HTTP: Cause = {
  kind: 'transient',
  text: 'its answer is not HTTP',
  hint: 'see whether a registry listens there, and whether it is spoken to by TLS (plainHttp in the settings)',
};

const CERTIFICATE: Cause = {
  kind: 'permanent',
  text: 'its certificate is not trusted',
  hint: 'if it has a certificate of your own authority, name that as ca of the registry in the settings, or in NODE_EXTRA_CA_CERTS',
};

const OUR_CERTIFICATE: Cause = {
  kind: 'permanent',
  text: 'it does not accept our certificate, or wants one',
  hint: 'name the certificate and its key as cert and key of the registry in the settings',
};

/** `error` is what the HTTP client threw. Its own message is not shown: it may hold what was sent. */
export function transportFailure(
  error: unknown,
  request: Pick<HttpRequest, 'side' | 'registry'>,
  url: URL,
): RegistryFailure {
  const code = codeOf(error) ?? '';
  const cause = answerOfProxy(error) ?? (isNoHttp(error) ? NO_HTTP : (CAUSES[code] ?? causeByName(code)));
  const where = url.host === request.registry ? request.registry : `${request.registry} (at ${url.host})`;
  const proxy = cause !== undefined && isOfProxy(error, url);
  const text =
    (proxy ? ofProxy(cause.text) : cause?.text) ??
    `the exchange broke off${/^[A-Z_0-9]+$/.test(code) ? ` (${code})` : ''}`;
  const hint =
    (proxy ? PROXY : cause?.hint) ??
    (cause?.kind === 'permanent' ? undefined : 'check the network and the registry, then run again');
  return registryFailure(
    request,
    cause?.kind ?? 'transient',
    `cannot talk to ${where}: ${text}`,
    hint === undefined ? {} : { hint },
  );
}

function causeByName(code: string): Cause | undefined {
  // An alert is what the other side says of us.
  if (/_ALERT_.*(?:CERTIFICATE|HANDSHAKE_FAILURE|UNKNOWN_CA|ACCESS_DENIED)/.test(code)) return OUR_CERTIFICATE;
  return /CERT|SELF_SIGNED|UNABLE_TO_/.test(code) ? CERTIFICATE : undefined;
}

/** Undici gives no code for some of what it cannot parse. */
function isNoHttp(error: unknown): boolean {
  return error instanceof Error && error.name === 'HTTPParserError';
}

/** What undici throws when the proxy itself answers, which only the text tells. */
function answerOfProxy(error: unknown): Cause | undefined {
  const said =
    error instanceof Error ? /^Proxy (?:response|Authentication Required) \((\d{3})\)/.exec(error.message) : null;
  if (said === null) return undefined;
  const status = Number(said[1]);
  return {
    kind: status >= 500 ? 'transient' : 'permanent',
    text: status === 407 ? 'the proxy wants a login (407)' : `the proxy does not let us through to it (${status})`,
    hint: PROXY,
  };
}

/** Whether what could not be connected to is another place than the one that was asked, which only a proxy can be. */
function isOfProxy(error: unknown, url: URL): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return isOfProxy(error.errors[0], url);
  const { syscall, port, hostname } = error as Error & Readonly<Record<'syscall' | 'port' | 'hostname', unknown>>;
  if (syscall === 'connect' && typeof port === 'number') {
    return port !== Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  }
  if (typeof hostname === 'string') return hostname !== url.hostname;
  return isOfProxy(error.cause, url);
}

/** `it refuses connections`, `its host name is not known`, of the proxy. */
function ofProxy(text: string): string {
  return text.replace(/^its\b/, "the proxy's").replace(/^it\b/, 'the proxy');
}

/** The code of an error, or of what caused it: undici wraps some. */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (error instanceof AggregateError) return codeOf(error.errors[0]) ?? code;
  return code ?? codeOf(error.cause);
}
