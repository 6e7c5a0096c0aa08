/** Data from a file, with the place in it that each part came from. */
import type { Position } from '../failure.ts';

/** Keys and indices from the root of a document to a part of it. */
export type Path = readonly (string | number)[];

export interface Document {
  /** Absolute path. */
  readonly file: string;
  /** Plain data, as JSON has it; `null` when the file is empty. */
  readonly data: unknown;
  /** Where the value at `path` starts, or its key; of the nearest parent that exists when there is no such part. */
  locate(path: Path, part?: 'key' | 'value'): Position;
}

/** For settings made by code, or absent: there is no place to point at but the file. */
export function unlocated(file: string, data: unknown): Document {
  return { file, data, locate: () => ({ file, line: 1, column: 1 }) };
}
