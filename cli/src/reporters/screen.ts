/** A few lines at the end of a terminal that are drawn again and again. The cursor stays visible, so nothing can lose it. */
import type { Io } from '../io.ts';

export interface Screen {
  /** Replaces what was drawn last. */
  draw(lines: readonly string[]): void;
  clear(): void;
}

/** Lines have one column a character. When the terminal became narrower, it has broken them into several rows. */
export function createScreen({ stderr, columns }: Pick<Io, 'stderr' | 'columns'>): Screen {
  let drawn: readonly string[] = [];
  const erase = (): string => {
    const width = Math.max(1, columns());
    const rows = drawn.reduce((sum, { length }) => sum + Math.max(1, Math.ceil(length / width)), 0);
    return rows === 0 ? '' : `\u001b[${rows}A\r\u001b[J`;
  };
  return {
    draw(lines) {
      if (lines.length === drawn.length && lines.every((line, index) => line === drawn[index])) return;
      stderr(`${erase()}${lines.map((line) => `${line}\n`).join('')}`);
      drawn = lines;
    },
    clear() {
      if (drawn.length > 0) stderr(erase());
      drawn = [];
    },
  };
}
