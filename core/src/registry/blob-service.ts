/**
 * Brings blobs to where they are wanted, for a whole run: by digest, not by task. A blob is sent once to a host: tasks that want it in
 * other repositories of that host wait, and have it mounted from there. A blob that is known to be there is not asked for; for others, the
 * request that would begin the upload asks:
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#mounting-a-blob-from-another-repository
 */
import { ok, type Result } from '../failure.ts';
import type { Descriptor } from '../oci/model.ts';
import { once } from '../once.ts';
import { formatRepository, sameRepository, type Digest, type Repository } from '../reference.ts';
import { hasBlob, mountBlob, type UploadSession } from './blobs.ts';
import type { BodyLimits } from './body-limits.ts';
import { createFlights } from './flights.ts';
import type { StreamBody } from './http.ts';
import type { Where } from './manifests.ts';
import type { Taken } from './model.ts';
import type { Presence } from './presence.ts';
import type { UploadRecords } from './upload-records.ts';
import { cancelUpload, sendBlob } from './uploads.ts';
import type { Wire } from './wire.ts';

/**
 * A blob of at least this many bytes is asked for by HEAD before it is sent, as long as the registry has not shown that it mounts: it may
 * have opened the upload only because it never does.
 */
const LARGE = 4 * 1024 * 1024;

export interface Wanted {
  readonly where: Where;
  readonly descriptor: Descriptor;
  /** Where it is read from, if that is a repository: one of the same host can be mounted from. */
  readonly source: Repository | undefined;
  readonly open: StreamBody['open'];
  /** Other parts of the image are there, so this one most likely is. */
  readonly likely: boolean;
  /** Called as soon as it is known that it has to be sent. */
  readonly onMissing?: () => void;
}

export interface BlobService {
  take(wanted: Wanted): Promise<Result<Taken>>;
  /** What was believed of these blobs was wrong: they are asked for one by one when they are wanted again. */
  forget(repository: Repository, digests: readonly Digest[]): void;
}

/** How a host answers mounts. A property is undefined until the host has shown it. */
interface MountHabits {
  /** To mount a blob from the repository that wants it tells whether it is there. */
  own?: boolean;
  /** A blob that was sent to one repository can be mounted into another. */
  other?: boolean;
  /** Repositories that we may not mount from. */
  readonly closed: Set<string>;
}

/** What a registry answered to the question for a blob; an upload it may have opened meanwhile. */
interface Answer {
  readonly there: boolean;
  readonly session?: UploadSession;
}

export interface BlobServiceOptions {
  readonly wire: Wire;
  readonly presence: Presence;
  readonly records: UploadRecords | undefined;
  readonly limits: BodyLimits;
}

export function createBlobService({ wire, presence, records, limits }: BlobServiceOptions): BlobService {
  /** By repository and digest. */
  const flights = createFlights<Result<Taken>>();
  /** By host and digest: the one who sends it now. Never fails. */
  const senders = new Map<string, Promise<unknown>>();
  const habits = new Map<string, MountHabits>();
  const doubted = new Set<string>();

  function habitsOf({ registry }: Repository): MountHabits {
    return once(habits, registry, () => ({ closed: new Set() }));
  }

  async function take(wanted: Wanted): Promise<Result<Taken>> {
    for (;;) {
      const { answer, joined } = flights.fly(nameOf(wanted.where, wanted.descriptor.digest), () => bring(wanted));
      const taken = await answer;
      if (!joined) return taken;
      // It was brought with another size than this manifest says.
      if (taken.ok && isOdd(wanted)) continue;
      if (taken.ok) return ok({ ...taken.value, mine: false });
      // The first one's source failed, or it was cancelled. That says nothing about our source, so the next one tries.
    }
  }

  /** The blob was measured, and the descriptor says another size: sending it again will show which of the two is wrong. */
  function isOdd({ where, descriptor: { digest, size } }: Wanted): boolean {
    return (presence.sizeOf(where, digest) ?? size) !== size;
  }

  async function bring(wanted: Wanted): Promise<Result<Taken>> {
    const { where, descriptor } = wanted;
    if (doubted.delete(nameOf(where, descriptor.digest)) || isOdd(wanted)) {
      const there = await hasBlob(wire, where, descriptor);
      return there.ok && !there.value ? send(wanted) : done(wanted, there, 'there');
    }
    if (presence.has(where, descriptor.digest)) return ok({ how: 'there', mine: true });
    return mountOrLead(wanted);
  }

  /**
   * Mounts it from the source, or from where this run has brought it. If another task is sending it to this host, waits for that; if not,
   * sends it.
   */
  async function mountOrLead(wanted: Wanted): Promise<Result<Taken>> {
    const { where, descriptor, source } = wanted;
    const host = habitsOf(where);
    let session: UploadSession | undefined;
    for (;;) {
      const own = source?.registry === where.registry && !sameRepository(source, where) ? [source] : [];
      const sent = host.other === false ? [] : presence.elsewhere(where, descriptor.digest);
      const from = [...own, ...sent].find(({ path }) => !host.closed.has(path));
      if (from !== undefined) {
        const asked = await mountBlob(wire, where, descriptor, from);
        if (!asked.ok || asked.value.mounted) {
          if (session !== undefined) await cancelUpload(wire, where, session);
          if (asked.ok && sent.includes(from)) host.other = true;
          return done(wanted, asked, 'mounted');
        }
        if (session === undefined) session = asked.value.session;
        else if (asked.value.session !== undefined) await cancelUpload(wire, where, asked.value.session);
        host.closed.add(from.path);
        // We have sent it there ourselves, so we may read it: the host does not mount at all.
        if (sent.includes(from) && host.other !== true) host.other = false;
        continue;
      }
      const sending = host.other === false ? undefined : senders.get(hostNameOf(where, descriptor.digest));
      // No `await` between this look and `lead`: two tasks would send it.
      if (sending === undefined) return lead(wanted, session);
      await sending;
    }
  }

  /** Asks the repository itself and sends what it lacks; those who want it elsewhere on the host wait meanwhile. */
  function lead(wanted: Wanted, session: UploadSession | undefined): Promise<Result<Taken>> {
    const name = hostNameOf(wanted.where, wanted.descriptor.digest);
    const work = async (): Promise<Result<Taken>> => {
      const asked = await ask(wanted, session);
      if (!asked.ok || asked.value.there) return done(wanted, asked, 'there');
      return send(wanted, asked.value.session);
    };
    const answer = work();
    const ended = Promise.allSettled([answer]);
    senders.set(name, ended);
    void ended.then(() => {
      if (senders.get(name) === ended) senders.delete(name);
    });
    return answer;
  }

  /**
   * Whether the repository has the blob. To mount it from the repository itself is one request that also opens the upload; HEAD is
   * asked where the host does not tell so, or might not. `session`: an upload that a refused mount has opened already.
   */
  async function ask(wanted: Wanted, session?: UploadSession): Promise<Result<Answer>> {
    const { where, descriptor, likely } = wanted;
    const host = habitsOf(where);
    const unproven = host.own !== true;
    const isLarge = descriptor.size >= LARGE;
    // A mount that was refused: perhaps the host refuses all of them, whatever it has.
    if (session !== undefined)
      return likely || unproven || isLarge ? askByHead(wanted, session) : ok({ there: false, session });
    if (host.own === false || (unproven && likely)) return askByHead(wanted);
    const mounted = await mountBlob(wire, where, descriptor, where);
    if (!mounted.ok) return mounted;
    if (mounted.value.mounted) {
      host.own = true;
      return ok({ there: true });
    }
    const opened = mounted.value.session;
    if (opened === undefined) host.own = false;
    return opened === undefined || (unproven && isLarge)
      ? askByHead(wanted, opened)
      : ok({ there: false, session: opened });
  }

  async function askByHead({ where, descriptor }: Wanted, opened?: UploadSession): Promise<Result<Answer>> {
    const there = await hasBlob(wire, where, descriptor);
    if (!there.ok) return there;
    if (!there.value) return ok({ there: false, ...(opened === undefined ? {} : { session: opened }) });
    // It opened an upload for what it has, so its mounts tell nothing.
    if (opened !== undefined) {
      habitsOf(where).own = false;
      await cancelUpload(wire, where, opened);
    }
    return ok({ there: true });
  }

  async function send(wanted: Wanted, session?: UploadSession): Promise<Result<Taken>> {
    const { where, descriptor, source, open } = wanted;
    wanted.onMissing?.();
    const sent = await sendBlob({
      wire,
      where,
      descriptor,
      open,
      session,
      records,
      limits,
      disposable: source !== undefined,
    });
    return done(wanted, sent, 'sent');
  }

  function done({ where, descriptor }: Wanted, result: Result<unknown>, how: Taken['how']): Result<Taken> {
    if (!result.ok) return result;
    presence.add(where, descriptor.digest, how === 'sent' ? descriptor.size : undefined);
    return ok({ how, mine: true });
  }

  return {
    take,
    forget(repository, digests) {
      for (const digest of digests) {
        presence.remove(repository, digest);
        doubted.add(nameOf(repository, digest));
      }
    },
  };
}

function nameOf(repository: Repository, digest: Digest): string {
  return `${formatRepository(repository)}@${digest}`;
}

function hostNameOf({ registry }: Repository, digest: Digest): string {
  return `${registry} ${digest}`;
}
