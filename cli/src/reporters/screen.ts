/** The few lines at the end of a terminal that are drawn again and again, by log-update. */
import { createLogUpdate } from 'log-update';
import type { Io } from '../io.ts';

export interface Screen {
  /** Replaces what was drawn last. Each line has one column a character, and fits. */
  draw(lines: readonly string[]): void;
  /** Writes lines that stay, above those that are drawn. */
  keep(lines: readonly string[]): void;
  clear(): void;
}

export function createScreen({ stderr, columns, rows }: Pick<Io, 'stderr' | 'columns' | 'rows'>): Screen {
  const stream = {
    write: stderr,
    isTTY: true,
    get columns() {
      return columns();
    },
    get rows() {
      return rows();
    },
  };
  // The cursor stays visible, so nothing can lose it.
  const update = createLogUpdate(stream as unknown as NodeJS.WritableStream, { showCursor: true });
  let drawn: { readonly lines: readonly string[]; readonly width: number } = { lines: [], width: columns() };

  /** A terminal that became narrower has broken our lines into more rows than were written: those have to go too. */
  function eraseBroken(): void {
    const width = columns();
    if (width >= drawn.width || drawn.lines.length === 0) return;
    const broken = drawn.lines.reduce((sum, { length }) => sum + Math.max(1, Math.ceil(length / width)), 0);
    stderr(`\u001b[${Math.min(broken, rows() - 1)}A\r\u001b[J`);
    update.done();
  }

  return {
    draw(lines) {
      eraseBroken();
      update(lines.join('\n'));
      drawn = { lines, width: columns() };
    },
    keep(lines) {
      eraseBroken();
      update.persist(lines.join('\n'));
      drawn = { lines: [], width: columns() };
    },
    clear() {
      eraseBroken();
      update.clear();
      drawn = { lines: [], width: columns() };
    },
  };
}
