/** A key stands for what the config asked for when something was locked: once the config asks for something else, it differs. */
import type { Selection, SyncEntry, SyncOptions } from '../config/model.ts';
import { sha256 } from '../oci/digest.ts';
import { formatReference, formatRepository } from '../reference.ts';
import { canonicalJson } from '../trust/statement.ts';

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

/** Short, since people review the file that it stands in; nothing depends on the strength of the hash. */
function keyOf(data: unknown): string {
  return sha256(canonicalJson(data)).slice('sha256:'.length, 'sha256:'.length + 16);
}
