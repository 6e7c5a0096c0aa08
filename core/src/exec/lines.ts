/** Cuts what a tool writes to stderr into lines that are safe to keep and to show. */
import { StringDecoder } from 'node:string_decoder';
import { stripVTControlCharacters } from 'node:util';

/** Characters of stderr that are kept: the last ones. */
const KEPT = 64 * 1024;
const MAX_LINE = 16 * 1024;
/** Characters of lines that are shown while it runs: they also fill the journal, and a tool may write without end. */
const SHOWN = 4 * 1024 * 1024;
/** A secret that a cut tore apart would not be recognised, so this much before a cut is not shown. */
const TORN = 4096;

export interface Lines {
  push(chunk: Buffer): void;
  /** Ends the last line and returns what was kept. */
  end(): string;
}

/**
 * Each line is redacted whole, before anything keeps it, so that no end of a buffer can split a secret. Lines over 16 KiB lose
 * their rest. Terminal sequences and control characters are removed: a tool's output must not steer the reader's terminal.
 */
export function createLines(redact: (text: string) => string, onLine: ((line: string) => void) | undefined): Lines {
  const decoder = new StringDecoder('utf8');
  const kept: string[] = [];
  let size = 0;
  let open = '';
  let torn = false;
  let shown = 0;
  const show = (line: string): void => {
    if (shown > SHOWN) return;
    shown += line.length + 1;
    onLine?.(shown > SHOWN ? `… it writes more than ${SHOWN / 1024 / 1024} MiB: what follows is not kept` : line);
  };
  const close = (): void => {
    const plain = readable(open, redact);
    const clean = torn ? `${plain.slice(0, -TORN)}…` : plain;
    open = '';
    torn = false;
    kept.push(clean);
    size += clean.length + 1;
    while (size > KEPT && kept.length > 1) {
      size -= (kept.shift()?.length ?? 0) + 1;
    }
    show(clean);
  };
  const add = (text: string): void => {
    const room = MAX_LINE - open.length;
    if (text.length > room) {
      torn = true;
    }
    if (room > 0) {
      open += text.slice(0, room);
    }
  };
  const take = (text: string): void => {
    const parts = text.split(/\r\n|\n|\r/);
    parts.forEach((part, index) => {
      add(part);
      if (index < parts.length - 1 && open !== '') {
        close();
      }
    });
  };
  return {
    push: (chunk) => take(decoder.write(chunk)),
    end: () => {
      take(decoder.end());
      if (open !== '') {
        close();
      }
      return kept.join('\n');
    },
  };
}

/** Redacted once more where something was taken out: a secret that is coloured in part is whole only then. */
function readable(line: string, redact: (text: string) => string): string {
  const known = redact(line);
  const clean = printable(known);
  return clean === known ? known : redact(clean);
}

function printable(line: string): string {
  return stripVTControlCharacters(line).replaceAll(/(?!\t)\p{Cc}|[\u202a-\u202e\u2066-\u2069]/gu, '');
}
