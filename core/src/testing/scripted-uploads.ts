/** How a scripted registry takes blobs: in one piece, in several, or from another of its repositories. */
import { randomUUID } from 'node:crypto';
import { digestLike } from '../oci/digest.ts';
import { parseDigest } from '../reference.ts';

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
}

interface Part {
  readonly method: string;
  readonly repository: string;
  /** The path after `blobs/`. */
  readonly name: string;
  readonly query: URLSearchParams;
  readonly body: Uint8Array;
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-blobs; `blobs` of a repository are added to. */
export function createUploads(blobs: (repository: string) => Map<string, Uint8Array>): (part: Part) => Answer {
  /** What was sent of each upload so far. */
  const uploads = new Map<string, Uint8Array>();

  const begin = ({ repository, query }: Part): Answer => {
    const mount = query.get('mount');
    const from = blobs(query.get('from') ?? '').get(mount ?? '');
    if (mount !== null && from !== undefined) {
      blobs(repository).set(mount, from);
      return { status: 201 };
    }
    const session = randomUUID();
    uploads.set(session, new Uint8Array());
    return goOn(repository, session, 0);
  };

  return (part) => {
    const { method, repository, query } = part;
    if (method === 'POST') return begin(part);
    const session = part.name.slice('uploads/'.length);
    const before = uploads.get(session);
    if (before === undefined || query.get('_state') !== 'a/b') {
      return { status: 404, body: problem('BLOB_UPLOAD_UNKNOWN') };
    }
    const bytes = Buffer.concat([before, part.body]);
    if (method === 'PATCH') {
      uploads.set(session, bytes);
      return goOn(repository, session, bytes.byteLength);
    }
    uploads.delete(session);
    const digest = parseDigest(query.get('digest') ?? '');
    if (digest === undefined || digestLike(digest, bytes) !== digest) {
      return { status: 400, body: problem('DIGEST_INVALID') };
    }
    blobs(repository).set(digest, bytes);
    return { status: 201, headers: { 'docker-content-digest': digest } };
  };
}

/** Where the next part goes; `received` bytes are there. */
function goOn(repository: string, session: string, received: number): Answer {
  const location = `/v2/${repository}/blobs/uploads/${session}?_state=a%2Fb`;
  return { status: 202, headers: { location, ...(received === 0 ? {} : { range: `0-${received - 1}` }) } };
}

export function problem(code: string): string {
  return JSON.stringify({ errors: [{ code, message: `scripted ${code.toLowerCase()}` }] });
}
