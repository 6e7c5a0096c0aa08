/** Whether what a scanner knew was old already when it scanned. Pure. */
import type { Scan } from '../trust/model.ts';
import { plainText } from '../trust/strict.ts';

/** Milliseconds. Databases are made several times a day; a mirror may be some days behind, as over a holiday. */
const TOO_OLD = 7 * 24 * 3600 * 1000;

/**
 * A sentence where it was: by both times of the scanner's, since our clock is no part of it. A mirror that nobody brings up to date gives
 * fewer findings every day, and to the gate that is a better image.
 */
export function staleDatabase({ scanner, database, finishedAt }: Scan): string | undefined {
  if (database === undefined || Date.parse(finishedAt) - Date.parse(database) <= TOO_OLD) return undefined;
  const name = plainText(scanner.name);
  return `${name} scans with a database of ${database}: nothing that became known since then is found, and so nothing of it is refused; see why ${name} gets no newer one`;
}
