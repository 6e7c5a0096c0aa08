/** `--sarif`: what the scans of a run found, for a code host to show. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { configFailure, errorCode, fail, makeFolder, ok, SARIF_NAME, sarifFiles, scanSarif } from '@slipway/core';
import type { Event, ImageEvidence, Position, Result, Row, Waiver } from '@slipway/core';

export interface SarifCollector {
  event(event: Event): void;
  /** How many files there are; what did not fit is told to `warn`. */
  write(folder: string, options: SarifOptions): Result<number>;
}

export interface SarifOptions {
  readonly rows: readonly Row[];
  /** The root of the checkout. */
  readonly workspace: string;
  readonly placeOf: (entry: string) => Position | undefined;
  /** Of the policy, those that hold for the entry today. */
  readonly waiversOf: (entry: string) => readonly Waiver[];
  readonly warn: (message: string) => void;
}

export function collectScans(): SarifCollector {
  const byDigest = new Map<string, ImageEvidence>();
  const byEntry = new Map<string, ImageEvidence>();
  return {
    event(event) {
      if (event.type !== 'image') return;
      byDigest.set(event.image.digest, event.image);
      byEntry.set(event.entry, event.image);
    },
    write(folder, { rows, workspace, placeOf, waiversOf, warn }) {
      // The targets of an entry are one image: one of them stands for all.
      const first = new Map(rows.toReversed().map((row) => [row.id, row]));
      const scans = [...first.values()].flatMap((row) => {
        const image = byEntry.get(row.id) ?? byDigest.get(row.digest ?? '');
        const at = placeOf(row.id);
        if (image?.scan === undefined || at === undefined) return [];
        const { destination } = row;
        const waivers = waiversOf(row.id);
        return scanSarif({ destination, digest: image.digest, scan: image.scan, waivers, at }, workspace);
      });
      const files = sarifFiles(scans);
      for (const { category, left } of scans)
        if (left > 0) warn(`${category} leaves out ${left} findings, the least severe: code hosts take no more`);
      try {
        makeFolder(folder);
        // Of an earlier run: more files than now would say again what was found then.
        for (const name of readdirSync(folder)) if (SARIF_NAME.test(name)) rmSync(join(folder, name));
        for (const { name, text } of files) writeFileSync(join(folder, name), text);
      } catch (error) {
        return fail(configFailure(`SARIF cannot be written to ${folder} (${errorCode(error)})`, 'name another folder'));
      }
      return ok(files.length);
    },
  };
}
