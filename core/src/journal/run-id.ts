/** What a run is called, and its journal. */
import { randomBytes } from 'node:crypto';

/** Sorts by time in a listing, also where a second has many, and two of one millisecond differ. */
export function runId(now: Date): string {
  const seconds = now.toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const milliseconds = now.getUTCMilliseconds().toString(16).padStart(3, '0');
  return `${seconds}-${milliseconds}${randomBytes(3).toString('hex').slice(1)}`;
}

/** Those of earlier versions had no milliseconds. */
const RUN_ID = /^[0-9]{8}-[0-9]{6}-(?:[0-9a-f]{6}|[0-9a-f]{8})$/;

export function isRunId(text: string): boolean {
  return RUN_ID.test(text);
}
