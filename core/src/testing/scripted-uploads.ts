/** How a scripted registry takes blobs: in one piece, in several, or from another of its repositories. */
import { digestLike } from '../oci/digest.ts';
import { parseDigest } from '../reference.ts';
import { problem, type Answer, type Store } from './scripted-contents.ts';

interface Part {
  readonly method: string;
  readonly repository: string;
  /** The path after `blobs/`. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: Uint8Array;
  /** False: the client went away in the middle; what came is kept, as the CNCF registry does. */
  readonly whole: boolean;
  /** `0-99`, where the client says which bytes it sends. */
  readonly contentRange: string | undefined;
}

interface Session {
  readonly repository: string;
  readonly path: string;
  received: Uint8Array;
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs */
export function createUploads(store: Store, { oneAddress }: { readonly oneAddress: boolean }): (part: Part) => Answer {
  const sessions = new Map<string, Session>();
  /** Numbered, so that a schedule of faults meets the same names again. */
  let opened = 0;

  const whereNext = (session: Session): Readonly<Record<string, string>> => {
    const query = oneAddress ? '' : `?_state=${encodeURIComponent(stateOf(session))}`;
    return { location: `${session.path}${query}` };
  };

  const begin = ({ repository, query, body }: Part): Answer => {
    const digest = query.get('digest');
    if (digest !== null) return finish(repository, digest, body);
    const mount = query.get('mount');
    const from = query.get('from');
    const found = mount === null ? undefined : from === null ? store.anyBlob(mount) : store.blob(from, mount);
    if (mount !== null && found !== undefined) return finish(repository, mount, found);
    opened += 1;
    const session = { repository, path: `/v2/${repository}/blobs/uploads/${opened}`, received: new Uint8Array() };
    sessions.set(session.path, session);
    return { status: 202, headers: whereNext(session) };
  };

  const finish = (repository: string, text: string, bytes: Uint8Array): Answer => {
    const digest = parseDigest(text);
    if (digest === undefined || digestLike(digest, bytes) !== digest) {
      return { status: 400, body: problem('DIGEST_INVALID') };
    }
    store.of(repository).blobs.set(digest, bytes);
    const location = `/v2/${repository}/blobs/${digest}`;
    return { status: 201, headers: { location, 'docker-content-digest': digest } };
  };

  return (part) => {
    const { method, repository, query, body } = part;
    if (method === 'POST') return begin(part);
    const session = sessions.get(`/v2/${repository}/blobs/${part.name}`);
    if (session === undefined) return { status: 404, body: problem('BLOB_UPLOAD_UNKNOWN') };
    if (method === 'GET') return { status: 204, headers: { ...whereNext(session), range: rangeOf(session) } };
    if (method === 'DELETE') {
      sessions.delete(session.path);
      return { status: 204 };
    }
    // The query is the registry's own, and another one after each part: a client must send back the last, as it was.
    if (query.get('_state') !== (oneAddress ? null : stateOf(session)))
      return { status: 404, body: problem('BLOB_UPLOAD_UNKNOWN') };
    if (part.contentRange !== undefined && part.whole && !follows(part.contentRange, session, body)) {
      return { status: 416, headers: { ...whereNext(session), range: rangeOf(session) } };
    }
    const bytes = Buffer.concat([session.received, body]);
    if (method === 'PATCH' || !part.whole) {
      session.received = bytes;
      return { status: 202, headers: { ...whereNext(session), range: rangeOf(session) } };
    }
    sessions.delete(session.path);
    return finish(repository, query.get('digest') ?? '', bytes);
  };
}

function follows(range: string, { received }: Session, body: Uint8Array): boolean {
  const start = received.byteLength;
  return range.replace(/^bytes /, '') === `${start}-${start + body.byteLength - 1}`;
}

function stateOf({ received }: Session): string {
  return received.byteLength === 0 ? 'a/b' : `a/b+${received.byteLength}`;
}

/** The last byte's position: an empty upload cannot be told from one of a single byte, as with real registries. */
function rangeOf({ received }: Session): string {
  return `0-${Math.max(0, received.byteLength - 1)}`;
}
