/** What every `image.copy@1` has to do around its tool: try the sources in order, and say whose fault a refusal is. */
import { fail, ok, type Failure, type RegistryFailure, type Result } from '../failure.ts';
import { formatPinned, parseReference, type Pinned } from '../reference.ts';
import type { Side } from '../registry/model.ts';
import type { TaskContext } from './api.ts';
import type { ContractInput, ContractOutput } from './contract-api.ts';

/**
 * Asks `copy` for one source after the other until one succeeds. A failure at the destination ends it: another mirror would
 * meet the same one. When every source failed, the last failure is given, with all that were tried.
 */
export async function copyFromFirst(
  { sources, destination }: ContractInput<'image.copy@1'>,
  context: Pick<TaskContext, 'log' | 'signal'>,
  copy: (source: Pinned) => Promise<Result<void>>,
): Promise<Result<ContractOutput<'image.copy@1'>>> {
  for (const image of [...sources, destination]) {
    // Whoever calls may have made the names up; only what is a reference may become an argument.
    const named = parseReference(formatPinned(image));
    if (!named.ok) return named;
  }
  if (sources.some((source) => source.digest !== destination.digest)) {
    // Writing under a digest that the bytes do not have cannot succeed; say it before anything is sent.
    return fail({
      reason: 'registry',
      class: 'permanent',
      side: 'source',
      host: sources[0].registry,
      message: `a source of ${formatPinned(destination)} has another digest`,
    });
  }
  const tried: string[] = [];
  let last: Failure | undefined;
  for (const [index, source] of sources.entries()) {
    const copied = await copy(source);
    if (copied.ok) return ok({ digest: destination.digest });
    last = copied.failure;
    tried.push(formatPinned(source));
    const anotherMayHelp = last.reason === 'tool' || (last.reason === 'registry' && last.side === 'source');
    if (!anotherMayHelp || context.signal.aborted) break;
    // The last is told by the failure itself.
    if (index + 1 < sources.length) context.log(last.message);
  }
  if (last === undefined) throw new Error('image.copy@1 was called without a source');
  return fail(tried.length < 2 ? last : { ...last, message: `${last.message} (tried ${tried.join(', ')})` });
}

/** What a tool's words told of a registry. */
export interface Refusal {
  readonly tool: string;
  readonly side: Side;
  readonly end: Pinned;
  /** What the tool said, without secrets. */
  readonly words: string;
  readonly status?: number;
  /** The registry's own error code, as `MANIFEST_UNKNOWN`. */
  readonly code?: string;
  /** No answer came, or half of one. */
  readonly unreachable: boolean;
}

/** What the other side says of us while a TLS connection is made, as Go words it. */
const OUR_CERTIFICATE = /\bremote error: tls: (?:certificate required|bad certificate|handshake failure)/;

const UNREACHABLE =
  /connection refused|no such host|i\/o timeout|connection reset|unexpected EOF|: EOF\b|handshake timeout|network is unreachable|server misbehaving|context deadline exceeded/;

/** Whether the words of a Go program say that no answer came, or half of one. */
export function isUnreachable(words: string): boolean {
  return UNREACHABLE.test(words);
}

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  MANIFEST_UNKNOWN: 404,
  NAME_UNKNOWN: 404,
  BLOB_UNKNOWN: 404,
  UNAUTHORIZED: 401,
  DENIED: 403,
  TOOMANYREQUESTS: 429,
};

/** How a registry answered, in the words of go-containerregistry, by which crane and cosign ask. */
export function registryAnswer(words: string): Pick<Refusal, 'status' | 'code'> {
  const code = Object.keys(STATUS_OF_CODE).find((each) => words.includes(`${each}: `));
  const written = /unexpected status code (\d{3})/.exec(words)?.[1];
  const status = written === undefined ? STATUS_OF_CODE[code ?? ''] : Number(written);
  return { ...(status === undefined ? {} : { status }), ...(code === undefined ? {} : { code }) };
}

/** Whether the words of a Go program say that no TLS connection came about. */
export function isTlsFailure(words: string): boolean {
  return /\bx509: |\btls: /.test(words);
}

/** The failure that a refusal is, with what to do about it. */
export function refusedCopy({ tool, side, end, words, status, code, unreachable }: Refusal): RegistryFailure {
  const transient = unreachable || status === 408 || status === 429 || (status ?? 0) >= 500;
  return {
    reason: 'registry',
    class: transient ? 'transient' : 'permanent',
    side,
    host: end.registry,
    ...(status === undefined ? {} : { status }),
    ...(code === undefined ? {} : { code }),
    message: `${tool} could not ${side === 'source' ? 'read' : 'write'} ${formatPinned(end)}: ${words}`,
    hint: hint(side, end, status, words),
  };
}

function hint(side: Side, end: Pinned, status: number | undefined, words: string): string {
  if (status === 401 || status === 403) {
    const right = side === 'source' ? 'read from' : 'push to';
    return `log in to ${end.registry} with an account that may ${right} ${end.path}`;
  }
  if (status === 404) return `check that ${end.path} exists on ${end.registry} and that the account may see it`;
  if (status === 429) return `${end.registry} limits how often it is asked: log in, or set a mirror`;
  if (OUR_CERTIFICATE.test(words)) {
    return `${end.registry} wants a certificate of ours, which tools that copy are not given: let sync-registry copy, with cert and key of ${end.registry} under registries in the settings`;
  }
  if (words.includes('x509')) {
    return `add the certificate authority of ${end.registry} to the system's, or to SSL_CERT_FILE`;
  }
  if (status !== undefined && status < 500) return `${end.registry} refused the request; its answer is in the message`;
  return `${end.registry} could not be reached or was not well; try again later`;
}
