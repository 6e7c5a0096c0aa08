/**
 * What was verified before, so that a second run needs neither the bundles nor a tool. It only saves time: a line that is
 * lost, torn or not understood is verified again.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
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
const { O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;

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
export async function openMemory(folder: string, mark: string | undefined): Promise<Memory> {
  const lines = await openLines(folder, { name: NAME, field: 'fact', mark });
  return {
    get(referrer, acceptFingerprint) {
      const packed = lines.get(keyOf(referrer, acceptFingerprint));
      const fact = packed === undefined ? undefined : unpack(packed);
      return fact === null || fact?.referrer === referrer ? fact : undefined;
    },
    put: (referrer, acceptFingerprint, fact) => lines.put(keyOf(referrer, acceptFingerprint), pack(fact)),
  };
}

export interface LinesOptions {
  readonly name: string;
  readonly field: string;
  /** What only this user's runs on this machine know. Undefined: nothing is believed, and nothing kept. */
  readonly mark: string | undefined;
}

/**
 * Opens a file in `folder`, which is made when it is missing; its first line shows whose it is, any other holds a key, and a text as
 * `field`. Never fails: without a usable file it remembers for this process only. A file without our mark, as one that came with a
 * checkout, or that others than its owner may read or write, is not believed but set aside.
 */
export async function openLines(folder: string, { name, field, mark }: LinesOptions): Promise<Lines> {
  const file = join(folder, name);
  const first = mark === undefined ? undefined : `${JSON.stringify({ of: hash(`${name}\n${mark}`) })}\n`;
  const lines = first === undefined ? new Map<string, string>() : await load(folder, file, { field, first });
  return {
    get: (key) => lines.get(key),
    async put(key, text) {
      lines.set(key, text);
      const line = `${JSON.stringify({ key, [field]: text })}\n`;
      if (first !== undefined && line.length <= MAX_LINE) append(file, first, line);
    },
  };
}

function keyOf(referrer: Digest, acceptFingerprint: string): string {
  return hash(`${referrer}\n${acceptFingerprint}`);
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
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
async function load(
  folder: string,
  file: string,
  { field, first }: { readonly field: string; readonly first: string },
): Promise<Map<string, string>> {
  const lines = new Map<string, string>();
  try {
    await mkdir(folder, { recursive: true });
    const text = await readOwn(file, first);
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

/** The file's text; one that is too large, not private or not ours is set aside first, so that a new one begins. */
async function readOwn(file: string, first: string): Promise<string> {
  const handle = await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const status = await handle.stat();
    const { mode, size } = status;
    const isPrivate = status.isFile() && (mode & 0o077) === 0;
    const text = isPrivate && size <= MAX_FILE ? await handle.readFile('utf8') : '';
    // One that is empty was made by a process that was killed before it said whose it is: nothing in it is to be believed or kept.
    if (text.startsWith(first) || (isPrivate && size === 0)) return text;
  } finally {
    await handle.close();
  }
  await rename(file, `${file}.old`);
  return '';
}

/**
 * One write per line on a descriptor opened for appending: lines of two processes do not mix, and of two first lines one is as good
 * as none. At once: another thread would take longer to be asked than the calls take.
 */
function append(file: string, first: string, line: string): void {
  let fd: number | undefined;
  try {
    fd = openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    if (fstatSync(fd).size === 0) writeSync(fd, first);
    // What a full disk has cut off would swallow the next line.
    if (writeSync(fd, line) < Buffer.byteLength(line)) writeSync(fd, '\n');
  } catch {
    // A full disk or a read-only checkout: the next run verifies again.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
