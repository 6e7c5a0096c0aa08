/**
 * What was verified before, so that a second run needs neither the bundles nor a tool. It only saves time: a line that is
 * lost, torn or not understood is verified again.
 */
import { createHash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Digest } from '../reference.ts';
import { openLines } from '../state-lines.ts';
import { packFact, unpackFact, type Fact } from './facts.ts';
import { canonicalJson } from './statement.ts';
import { readJson } from './strict.ts';

/** Bytes of one fact, unpacked: without a limit a short line could become a value that fills the memory. */
const MAX_FACT = 32 * 1024 * 1024;

/** `null`: the referrer was read, and it is not ours. */
export type Remembered = Fact | null;

export interface Memory {
  /** `undefined`: nothing is known of this referrer under this list of accepted signers ({@link acceptFingerprint}). */
  get(referrer: Digest, acceptFingerprint: string): Remembered | undefined;
  /** Remembers for this process at once, and for later ones when the promise settles. It never fails. */
  put(referrer: Digest, acceptFingerprint: string, fact: Remembered): Promise<void>;
}

/** Opens `verified.ndjson` in `folder`, as {@link openLines} does. */
export async function openMemory(folder: string, mark: string | undefined): Promise<Memory> {
  const lines = await openLines(folder, { name: 'verified.ndjson', field: 'fact', mark });
  return {
    get(referrer, acceptFingerprint) {
      const packed = lines.get(keyOf(referrer, acceptFingerprint));
      const fact = packed === undefined ? undefined : unpack(packed);
      return fact === null || fact?.referrer === referrer ? fact : undefined;
    },
    put: (referrer, acceptFingerprint, fact) => lines.put(keyOf(referrer, acceptFingerprint), pack(fact)),
  };
}

function keyOf(referrer: Digest, acceptFingerprint: string): string {
  return createHash('sha256').update(`${referrer}\n${acceptFingerprint}`).digest('hex');
}

/** Compressed, because a scan's findings repeat themselves. The empty text stands for `null`. */
function pack(fact: Remembered): string {
  return fact === null ? '' : deflateRawSync(canonicalJson(packFact(fact))).toString('base64');
}

function unpack(packed: string): Remembered | undefined {
  if (packed === '') return null;
  try {
    const bytes = inflateRawSync(Buffer.from(packed, 'base64'), { maxOutputLength: MAX_FACT });
    const json = readJson(bytes, MAX_FACT, 'a remembered fact');
    return json.ok ? unpackFact(json.value) : undefined;
  } catch {
    return undefined;
  }
}
