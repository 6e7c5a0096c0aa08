/**
 * A source and a destination that a test holds the reins of, and one sync between them as a run does it: the tag is asked for
 * once, all else goes by digest, and the tag is moved last. After each sync the destination is looked at: every tag leads to
 * a whole image, and a sync that failed has moved none.
 */
import { onTestFinished, expect } from 'vitest';
import type { Failure, Result } from '../../failure.ts';
import { fail, ok } from '../../failure.ts';
import type { Descriptor } from '../../oci/model.ts';
import { pin, type Tag } from '../../reference.ts';
import { seedImage } from '../../testing/sample-images.ts';
import {
  startScriptedRegistry,
  type Action,
  type ScriptedOptions,
  type ScriptedRegistry,
  type ScriptedRequest,
} from '../../testing/scripted-registry.ts';
import { brokenTags } from '../../testing/scripted-truth.ts';
import type { RegistryOptions } from '../client.ts';
import { copy, type Copied, type CopyOptions } from '../copy.ts';
import type { Registry } from '../model.ts';
import { client, reference, repository } from '../test-client.ts';

export type Hook = (request: ScriptedRequest) => Action | undefined;

export interface PairOptions {
  readonly source?: ScriptedOptions;
  readonly destination?: ScriptedOptions;
  readonly client?: Partial<RegistryOptions>;
  readonly copy?: CopyOptions;
  /** Puts what is synced into `from` as `v1`; an image of two platforms when absent. */
  readonly seed?: (source: ScriptedRegistry) => Descriptor;
  readonly onSource?: Hook;
  readonly onDestination?: Hook;
}

export interface Pair {
  readonly source: ScriptedRegistry;
  readonly destination: ScriptedRegistry;
  readonly registry: Registry;
  readonly image: Descriptor;
  /** `from:v1` of the source to `to:v1` of the destination. */
  sync(): Promise<Result<Copied>>;
}

const TAG = 'v1' as Tag;

/** The destination has an older image under the tag, unless it is to be found empty. */
export async function pair(options: PairOptions = {}): Promise<Pair> {
  // It takes whatever it is sent, so that the order of what is sent is our own merit.
  const [source, destination] = await Promise.all([
    startScriptedRegistry({ sparse: true, ...options.source }),
    startScriptedRegistry({ sparse: true, ...options.destination }),
  ]);
  const registry = client(options.client);
  onTestFinished(async () => {
    await registry.close();
    await Promise.all([source.close(), destination.close()]);
  });
  const platforms = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }));
  const seed = options.seed ?? ((from) => seedImage(from, 'from', 'new', { platforms, layerSize: 200_000, tag: TAG }));
  const image = seed(source);
  seedImage(destination, 'to', 'old', { tag: TAG });
  source.onRequest = options.onSource ?? source.onRequest;
  destination.onRequest = options.onDestination ?? destination.onRequest;

  async function attempt(): Promise<Result<Copied>> {
    const head = await registry.head(reference(`${source.host}/from:${TAG}`), 'source');
    if (!head.ok) return head;
    if (head.value === undefined) return fail(absent(source.host));
    const from = registry.content(repository(source.host, 'from'), 'source');
    const to = repository(destination.host, 'to');
    const copied = await copy(from, registry.content(to, 'destination'), head.value.digest, {
      source: source.host,
      ...options.copy,
    });
    if (!copied.ok) return copied;
    const tagged = await registry.tag(pin(to, head.value.digest), TAG, copied.value.root);
    return tagged.ok ? ok(copied.value) : tagged;
  }

  return {
    source,
    destination,
    registry,
    image,
    async sync() {
      const before = destination.manifest('to', TAG)?.digest;
      const result = await attempt();
      expect(brokenTags(destination, 'to')).toEqual([]);
      const after = destination.manifest('to', TAG);
      if (result.ok) expect(after?.digest).toBe(result.value.root.descriptor.digest);
      else expectClear(result.failure);
      // A tag whose answer was lost may have moved although we could not know.
      if (!result.ok && !destination.log.some(isTagging)) expect(after?.digest).toBe(before);
      return result;
    },
  };
}

function isTagging({ method, path }: ScriptedRequest): boolean {
  return method === 'PUT' && path.endsWith(`/manifests/${TAG}`);
}

function absent(host: string): Failure {
  return { reason: 'registry', class: 'permanent', side: 'source', host, message: `${host} has no such image` };
}

/** One line that names a host and a side, not too long, with no secret in it, and another that says what to do. */
export function expectClear(failure: Failure): void {
  expect(failure).toMatchObject({
    reason: 'registry',
    host: expect.stringMatching(/^127\.0\.0\.1:/) as unknown,
    hint: expect.stringMatching(/^[^\n]{10,300}$/) as unknown,
  });
  expect(failure.message).toMatch(/^[^\n]{10,700}$/);
  expect(failure.message).not.toMatch(/token-\d|Bearer|Basic|_state=/);
}

/** What a sync answers that went well; that the destination holds the image, it has looked at itself. */
export const COPIED = { ok: true };

/** What is asked for, in the words of the specification. */
export const is = {
  manifest: ({ path }: ScriptedRequest): boolean => path.includes('/manifests/'),
  put: ({ method, path }: ScriptedRequest): boolean => method === 'PUT' && path.includes('/manifests/'),
  blobRead: ({ method, path }: ScriptedRequest): boolean => method === 'GET' && /\/blobs\/sha/.test(path),
  blobHead: ({ method, path }: ScriptedRequest): boolean => method === 'HEAD' && /\/blobs\/sha/.test(path),
  uploadBegin: ({ method, path }: ScriptedRequest): boolean => method === 'POST' && path.endsWith('/blobs/uploads/'),
  uploadPart: ({ method, path }: ScriptedRequest): boolean =>
    (method === 'PUT' || method === 'PATCH') && path.includes('/blobs/uploads/'),
  mount: ({ url }: ScriptedRequest): boolean => url.includes('mount='),
  first: ({ earlier }: ScriptedRequest): boolean => earlier === 0,
} as const;
