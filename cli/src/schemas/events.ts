/** The schema of one event: a line of a journal, and of `--progress json`. */
import type { JsonSchema } from '@slipway/core';
import {
  DRAFT,
  amount,
  asked,
  attachments,
  closed,
  count,
  defined,
  definitions,
  list,
  oneWord,
  platformPackages,
  text,
} from './shared.ts';

const task = text('The task’s id, as build:ghcr.io/a/b:1#scan.');
const entry = text('The entry’s id.');

function event(
  type: string,
  description: string,
  required: Readonly<Record<string, JsonSchema>>,
  optional: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  const common = { t: amount('Milliseconds since 1970.'), type: { const: type } };
  return closed(description, { ...common, ...required }, optional);
}

const evidence = closed(
  'An image.',
  {
    digest: defined('digest'),
    packages: platformPackages,
    attachments,
  },
  { scan: { description: 'The newest scan, as the contract image.scan@1 has it.', type: 'object' } },
);

const tasks = list('Tasks that are announced; each gets exactly one task.done.', defined('task'));

export const eventsSchema: JsonSchema = {
  $schema: DRAFT,
  title: 'Slipway event',
  description:
    'One line of a run’s journal (.slipway/runs/*.ndjson) and of --progress json, in the order of what happened.',
  oneOf: [
    event(
      'run.start',
      'The run begins.',
      {
        run: text('The run’s id; its journal has the same name.'),
        command: oneWord('What was asked for.', ['run', 'sync', 'build', 'scan', 'rollback', 'prune']),
        version: text('Slipway’s version.'),
        entries: list('Ids of the planned entries.', { type: 'string' }),
        tasks,
      },
      {
        cosign: text('Flags of cosign verify by which others recognise what this run signs.'),
        asked,
      },
    ),
    event(
      'entry.chain',
      'There is work to do for the entry.',
      { entry, why: text('What the probe found.'), tasks },
      { changes: list('What is different from what is published.', defined('change')) },
    ),
    event('task.start', 'A task begins, or is tried again.', {
      task,
      attempt: { description: 'From 1.', type: 'integer', minimum: 1 },
    }),
    event('task.log', 'A line that a tool or a plugin wrote, redacted.', {
      task,
      line: text('Without its end of line.'),
    }),
    event('task.progress', 'Bytes were sent; only in --progress json, not in the journal.', {
      task,
      bytes: count('So far.'),
    }),
    event('task.tool', 'An external program is started.', {
      task,
      tool: text('As crane.'),
      version: text('Its version.'),
    }),
    event('task.retry', 'It failed in a way that may pass, and is tried again.', {
      task,
      failure: defined('failure'),
      wait: amount('Milliseconds until the next attempt.'),
    }),
    event(
      'task.done',
      'A task has ended.',
      {
        task,
        state: oneWord('How.', ['ok', 'failed', 'refused', 'skipped', 'cancelled']),
        ms: count('Milliseconds.'),
      },
      { output: { description: 'What the journal keeps of its output.' }, failure: defined('failure') },
    ),
    event('tag.move', 'A tag is about to be moved.', {
      entry,
      tag: text('As registry/repository:tag.'),
      from: { ...text('The digest that it names; null for a new tag.'), type: ['string', 'null'] },
      to: text('The digest that it will name.'),
    }),
    event('tag.delete', 'A registry is about to be asked to delete a tag; where no tag.done follows, it may be gone.', {
      tag: text('As registry/repository:tag.'),
      digest: text('The digest that it names.'),
    }),
    event(
      'tag.done',
      'How the deletion of a tag ended. Where no tag.delete goes before, the registry was not asked.',
      {
        tag: text('As registry/repository:tag.'),
        digest: text('The digest that it names, or named.'),
        state: oneWord('How.', ['deleted', 'failed']),
      },
      { failure: { ...defined('failure'), description: 'Why not; where it was deleted, what else went with it.' } },
    ),
    event('image', 'What is known of an image, once for each image of a run.', { entry, image: evidence }),
    event('entry.done', 'Every task of the entry has ended.', {
      entry,
      rows: list('A row for each of its targets.', defined('row')),
    }),
    event('warning', 'Something to know that stops nothing.', { message: text('One sentence.') }),
    event('run.done', 'The run has ended.', {
      exitCode: { description: 'Of the command.', enum: [0, 1, 2, 3, 5, 130] },
      seconds: amount('From start to end.'),
    }),
  ],
  $defs: {
    ...definitions,
    task: closed(
      'A node of the plan.',
      {
        id: task,
        contract: text('As image.scan@1 or core.tag@1.'),
        entry: {
          ...text('The entry it belongs to; null for a package, which several may share.'),
          type: ['string', 'null'],
        },
      },
      { needs: list('Ids of the tasks that go before; none when absent.', { type: 'string' }) },
    ),
  },
};
