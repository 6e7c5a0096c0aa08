/** What a locked source or selection was made for. It changes with all that decides what is locked, and with nothing else. */
import type { Selection, SyncEntry, SyncOptions } from '../config/model.ts';
import { sha256 } from '../oci/digest.ts';
import { formatReference, formatRepository } from '../reference.ts';

export function keyOfSource(entry: SyncEntry): string {
  return keyOf({ source: formatReference(entry.source), ...asked(entry) });
}

export function keyOfSelection(selection: Selection): string {
  const { source, select } = selection;
  return keyOf({ source: formatRepository(source), select, ...asked(selection) });
}

function asked({ platforms, verify }: SyncOptions): Readonly<Record<string, unknown>> {
  return { platforms, verify };
}

/** Enough of a hash that nobody meets another by chance; nothing depends on its strength. */
function keyOf(data: unknown): string {
  return sha256(Buffer.from(JSON.stringify(data, sortKeys))).slice('sha256:'.length, 'sha256:'.length + 16);
}

function sortKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
