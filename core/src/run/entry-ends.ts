/** What becomes of each entry: gathered while its tasks end, told as evidence and rows when the last of them has. */
import type { Entry } from '../config/model.ts';
import { cancelled } from '../failure.ts';
import type { Change, Row } from '../journal/events.ts';
import { stepOfTask } from '../plan/task-id.ts';
import { archiveScheme, formatRepository } from '../reference.ts';
import type { Engine } from './engine.ts';
import { evidenceOf } from './evidence.ts';
import type { Ended } from './loop.ts';
import { remember, type EntryRecord } from './record.ts';
import { rowsOf } from './rows.ts';

export interface EntryEnds {
  /** Its target names the image now; `backup` is what keeps the old one. */
  tagged(id: string, target: string, backup: string | undefined): void;
  taskEnded(ended: Ended): void;
  /** What differs from what is published, as its probe saw it. */
  changesOf(id: string): readonly Change[];
  /** All of its tasks have ended. */
  end(id: string): void;
  /** It ends without any: it was skipped, or nobody knows what it is. */
  endAs(id: string, rows: readonly Row[]): void;
  /** Writes archives, unless the run was interrupted: the next one goes on from what this one gathered. Answers with all rows. */
  finish(interrupted: boolean): Promise<readonly Row[]>;
}

export function createEntryEnds(engine: Engine, entryOf: (id: string) => Entry): EntryEnds {
  const records = new Map<string, EntryRecord>();
  const rows: Row[] = [];
  /** Images whose evidence is in the journal. */
  const told = new Set<string>();
  /** Entries whose archive is still to be written: only then is it known what they came to. */
  const held: string[] = [];

  function recordOf(id: string): EntryRecord {
    const known = records.get(id);
    if (known !== undefined) return known;
    const record: EntryRecord = { signed: false, ms: 0 };
    records.set(id, record);
    return record;
  }

  function endAs(entry: string, ended: readonly Row[]): void {
    rows.push(...ended);
    engine.emit({ type: 'entry.done', entry, rows: ended });
  }

  function conclude(entry: string): void {
    const record = recordOf(entry);
    const image = evidenceOf(record);
    if (image !== undefined && !told.has(image.digest)) {
      told.add(image.digest);
      engine.emit({ type: 'image', entry, image });
    }
    endAs(entry, rowsOf(entryOf(entry), record));
    // What it held, scans above all, is in the journal now.
    records.delete(entry);
  }

  return {
    endAs,
    tagged(id, target, backup) {
      const record = recordOf(id);
      record.tagged = (record.tagged ?? new Map<string, string | undefined>()).set(target, backup);
    },
    taskEnded({ task, end, ms }) {
      if (task.entry === null) return;
      const record = recordOf(task.entry);
      record.ms += ms;
      if (end.state === 'ok') remember(record, stepOfTask(task), end.output);
      else record.broken ??= { step: stepOfTask(task), end };
    },
    changesOf: (id) => recordOf(id).probed?.changes ?? [],
    end(id) {
      if (entryOf(id).targets[0].destination.registry === archiveScheme) held.push(id);
      else conclude(id);
    },
    async finish(interrupted) {
      const unwritten = interrupted ? undefined : await engine.finishLayouts();
      for (const id of held) {
        const archive = formatRepository(entryOf(id).targets[0].destination);
        const failure = unwritten === undefined ? cancelled : unwritten.get(archive);
        if (failure !== undefined) {
          const record = recordOf(id);
          const state = failure === cancelled ? 'cancelled' : 'failed';
          record.broken ??= { step: 'tag', end: { state, failure } };
          // Its tags are in the archive that was not written.
          delete record.tagged;
        }
        conclude(id);
      }
      return rows;
    },
  };
}
