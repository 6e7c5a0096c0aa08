/**
 * Files of the state's folder that hold a text for each key, a line each. They only save time: a line that is lost, torn or not
 * understood counts as not there. A file that may be somebody else's is not believed.
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, fstatSync, openSync, writeSync } from 'node:fs';
import { mkdir, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { asRecord, readJson } from './trust/strict.ts';

const MAX_FILE = 64 * 1024 * 1024;
const MAX_LINE = 4 * 1024 * 1024;
const { O_RDONLY, O_WRONLY, O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK } = constants;

export interface Lines {
  get(key: string): string | undefined;
  /** Remembers for this process at once, and for later ones when the promise settles. It never fails. */
  put(key: string, text: string): Promise<void>;
}

export interface LinesOptions {
  readonly name: string;
  readonly field: string;
  /** What only this user's runs on this machine know. Undefined: nothing is believed, and nothing kept. */
  readonly mark: string | undefined;
}

/**
 * Opens the file `name` in `folder`; both are made when they are missing. Its first line shows whose it is; each other line holds a
 * key, and a text as `field`. Never fails: without a usable file it remembers for this process only. A file is not believed but set
 * aside if it lacks our mark, as one that came with a checkout, or if others than its owner may read or write it.
 */
export async function openLines(folder: string, { name, field, mark }: LinesOptions): Promise<Lines> {
  const file = join(folder, name);
  const first = mark === undefined ? undefined : ownerLine(name, mark);
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

/** The first line of a file of ours: a hash, since the mark itself must stay unknown to others. */
function ownerLine(name: string, mark: string): string {
  return `${JSON.stringify({ of: createHash('sha256').update(`${name}\n${mark}`).digest('hex') })}\n`;
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

/** The file's text. One that is too large, not private or not ours is set aside, so that a new one begins. */
async function readOwn(file: string, first: string): Promise<string> {
  const handle = await open(file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  try {
    const status = await handle.stat();
    const { mode, size } = status;
    const isPrivate = status.isFile() && (mode & 0o077) === 0;
    const text = isPrivate && size <= MAX_FILE ? await handle.readFile('utf8') : '';
    // An empty file was made by a process that was killed before it wrote the first line. It holds nothing that could be wrong.
    if (text.startsWith(first) || (isPrivate && size === 0)) return text;
  } finally {
    await handle.close();
  }
  await rename(file, `${file}.old`);
  return '';
}

/**
 * One write a line, on a descriptor that is opened for appending: so lines of two processes do not mix, and a first line that both
 * wrote does no harm. Synchronous, since handing it to another thread would take longer than the calls do.
 */
function append(file: string, first: string, line: string): void {
  let fd: number | undefined;
  try {
    fd = openSync(file, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, 0o600);
    if (fstatSync(fd).size === 0) writeSync(fd, first);
    // A line that a full disk has cut off would run into the next one.
    if (writeSync(fd, line) < Buffer.byteLength(line)) writeSync(fd, '\n');
  } catch {
    // A full disk or a read-only checkout: the next run finds it out again.
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}
