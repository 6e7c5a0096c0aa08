/**
 * What was verified before, so that a second run needs neither the bundles nor a tool. It only saves time: a line that is
 * lost, torn or not understood is verified again.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Digest } from '../reference.ts';
import { packFact, unpackFact, type Fact } from './facts.ts';
import { canonicalJson } from './statement.ts';
import { asRecord, readJson } from './strict.ts';

const NAME = 'verified.ndjson';
const MAX_FILE = 64 * 1024 * 1024;
const MAX_LINE = 4 * 1024 * 1024;
/** Of one fact, unpacked; the limit is what keeps a small line from becoming a large value. */
const MAX_FACT = 32 * 1024 * 1024;
const { O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW } = constants;

/** `null`: the referrer was read, and it is not ours. */
export type Remembered = Fact | null;

export interface Memory {
  /** `undefined`: nothing is known of this referrer under this list of accepted signers ({@link acceptFingerprint}). */
  get(referrer: Digest, acceptFingerprint: string): Remembered | undefined;
  /** Remembers for this process at once, and for later ones when the promise settles. It never fails. */
  put(referrer: Digest, acceptFingerprint: string, fact: Remembered): Promise<void>;
}

/** Short texts by key, kept in a file of the state's folder. */
export interface Lines {
  get(key: string): string | undefined;
  /** Remembers for this process at once, and for later ones when the promise settles. It never fails. */
  put(key: string, text: string): Promise<void>;
}

/** Opens `verified.ndjson` in `folder`, as {@link openLines} does. */
export async function openMemory(folder: string): Promise<Memory> {
  const lines = await openLines(folder, { name: NAME, field: 'fact' });
  return {
    get(referrer, acceptFingerprint) {
      const packed = lines.get(keyOf(referrer, acceptFingerprint));
      const fact = packed === undefined ? undefined : unpack(packed);
      return fact === null || fact?.referrer === referrer ? fact : undefined;
    },
    put: (referrer, acceptFingerprint, fact) => lines.put(keyOf(referrer, acceptFingerprint), pack(fact)),
  };
}

/**
 * Opens a file in `folder`, which is made when it is missing; a line holds a key, and a text as `field`. Never fails: without
 * a usable file it remembers for this process only. A file that others than its owner may read or write, as one that came
 * with a checkout, is not believed but set aside.
 */
export async function openLines(
  folder: string,
  { name, field }: { readonly name: string; readonly field: string },
): Promise<Lines> {
  const file = join(folder, name);
  const lines = await load(folder, file, field);
  return {
    get: (key) => lines.get(key),
    async put(key, text) {
      lines.set(key, text);
      const line = `${JSON.stringify({ key, [field]: text })}\n`;
      if (line.length <= MAX_LINE) append(file, line);
    },
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

/** Later lines replace earlier ones. */
async function load(folder: string, file: string, field: string): Promise<Map<string, string>> {
  const lines = new Map<string, string>();
  try {
    await mkdir(folder, { recursive: true });
    const text = await readPrivate(file);
    for (const line of text.split('\n')) {
      const json = line === '' ? undefined : readJson(line, MAX_LINE, 'a remembered line');
      const record = json?.ok === true ? asRecord(json.value) : undefined;
      const [key, text] = [record?.['key'], record?.[field]];
      if (typeof key === 'string' && typeof text === 'string') lines.set(key, text);
    }
  } catch {
    // No file yet, or none that can be used: start from nothing.
  }
  return lines;
}

/** The file's text; one that is too large or not private is set aside first, so that a new one begins. */
async function readPrivate(file: string): Promise<string> {
  const handle = await open(file, O_RDONLY | O_NOFOLLOW);
  try {
    const { mode, size } = await handle.stat();
    if ((mode & 0o077) === 0 && size <= MAX_FILE) return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
  await rename(file, `${file}.old`);
  return '';
}

/**
 * One write per line on a descriptor opened for appending: lines of two processes do not mix. At once: another thread would take
 * longer to be asked than the calls take.
 */
function append(file: string, line: string): void {
  let fd: number | undefined;
  try {
    fd = openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    writeSync(fd, line);
  } catch {
    // A full disk or a read-only checkout: the next run verifies again.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
