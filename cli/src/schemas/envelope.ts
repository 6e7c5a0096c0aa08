/** The schema of every `--json` answer: one closed object for each command, and one for a command that was refused. */
import type { JsonSchema } from '@slipway/core';
import {
  affected,
  attrition,
  cost,
  diffRow,
  drifted,
  lockChange,
  plannedEntry,
  plannedSelection,
  plannedTask,
  probe,
  prunedTag,
  shownImage,
  verified,
  why,
} from './items.ts';
import { closed, count, defined, definitions, DRAFT, flag, list, oneWord, text } from './shared.ts';

function answerOf(
  commands: readonly string[],
  description: string,
  required: Readonly<Record<string, JsonSchema>>,
  optional: Readonly<Record<string, JsonSchema>> = {},
): JsonSchema {
  return closed(
    description,
    {
      slipway: { description: 'Version of this envelope.', const: 1 },
      command: oneWord('What was asked for.', commands),
      ok: flag('True exactly when the exit code is 0.'),
      ...required,
    },
    optional,
  );
}

function remarks(description: string): JsonSchema {
  return list(
    description,
    closed('One of them.', {
      at: defined('position'),
      what: text('As creds[0].pass.'),
      why: text('Why, what was done instead, and where it belongs.'),
    }),
  );
}

export const envelopeSchema: JsonSchema = {
  $schema: DRAFT,
  title: 'Slipway answer',
  description: 'What every command prints on stdout with --json.',
  oneOf: [
    closed('The command did not do its work.', {
      slipway: { description: 'Version of this envelope.', const: 1 },
      command: text('What was asked for; slipway when that is not known.'),
      ok: { const: false },
      failures: { ...list('Everything that stands in the way.', defined('failure')), minItems: 1 },
    }),
    answerOf(
      ['plan'],
      'The graph.',
      {
        entries: list('In the config’s order.', plannedEntry),
        selections: list('In the config’s order, those that are not expanded.', plannedSelection),
        tasks: list('Each after those it needs.', plannedTask),
      },
      {
        drift: list('With --against registry: what is not as a run leaves it.', drifted),
        probes: list('With --resolve: what is to be done, and why.', probe),
      },
    ),
    answerOf(['run', 'sync', 'build', 'scan'], 'What a run came to.', {
      run: text('The run’s id; its journal has the same name.'),
      entries: list('A row for each destination repository:tag.', defined('row')),
      tools: list(
        'External programs that were started.',
        closed('One program.', {
          name: text('As crane.'),
          version: text('Its version.'),
          started: { description: 'How often.', type: 'integer', minimum: 1 },
        }),
      ),
    }),
    answerOf(
      ['why'],
      'Why entries ran, or would run; or, with --cve, which images have a vulnerability.',
      {},
      {
        entries: list('With --resolve as it is now, else as the journals have it.', why),
        affected: list('Images that have it.', affected),
        looked: count('Destinations that some journal has a scan of.'),
        unknown: list('Destinations, or their platforms, of which nothing is known.', { type: 'string' }),
        since: text('With --cve: the oldest run that was read; what only older ones name is not told.'),
      },
    ),
    answerOf(['report'], 'What was written.', { files: list('Absolute paths.', { type: 'string' }) }),
    answerOf(['rollback'], 'Which tags were put back.', {
      run: text('Its own id; its journal has the same name.'),
      entries: list('A row for each tag.', defined('row')),
    }),
    answerOf(
      ['prune'],
      'Tags that this config made and names no longer.',
      {
        entries: list('Each of them.', prunedTag),
        closed: list(
          'Repositories that were left alone.',
          closed('One of them.', { repository: text('As ghcr.io/example/node.'), why: text('Why.') }),
        ),
      },
      {
        run: text('Its own id, where something was to be deleted; its journal has the same name.'),
        refused: { ...defined('failure'), description: 'Why --delete would delete nothing.' },
      },
    ),
    answerOf(['verify'], 'What a consumer finds.', { entries: list('Each destination repository:tag.', verified) }),
    answerOf(['show'], 'One image.', { image: shownImage }),
    answerOf(['doctor'], 'What stands in the way of a run.', {
      findings: list(
        'What was looked at.',
        closed(
          'One of them.',
          {
            what: text('As tool crane or destination registry ghcr.io.'),
            state: oneWord('How it is.', ['ok', 'warning', 'failed']),
            detail: text('What was found.'),
          },
          { hint: text('How to mend it.') },
        ),
      ),
    }),
    answerOf(['init'], 'The repository that was written.', {
      folder: text('Absolute path of it.'),
      files: list('Paths in it.', { type: 'string' }),
      kept: list('Paths of files that were there and stay as they are.', { type: 'string' }),
    }),
    answerOf(['emit github', 'emit'], 'The workflows that run the plan.', {
      files: list(
        'Each file that is emitted, and each of an earlier time.',
        closed('One file.', {
          path: text('From the folder that this ran in.'),
          state: oneWord('Against what was there; gone: not emitted any more, and removed unless --check.', [
            'new',
            'changed',
            'same',
            'gone',
          ]),
        }),
      ),
    }),
    answerOf(['plugin new'], 'The package that was written.', {
      name: text('Of the package.'),
      folder: text('Absolute path of it.'),
      files: list('Paths in it.', { type: 'string' }),
    }),
    answerOf(['plugin diff'], 'In what two plugins differ.', {
      contract: text('What both implement, as image.copy@1.'),
      plugins: list(
        'The two, in the order of the command line.',
        closed('One plugin.', {
          name: text('As sync-crane.'),
          version: text('Its own version.'),
          tools: list(
            'What it uses.',
            closed('One program.', { name: text('As crane.'), version: text('Its version.') }),
          ),
        }),
      ),
      cases: list(
        'What both were asked.',
        closed(
          'One question.',
          {
            name: text('As an index of two platforms.'),
            equal: flag('Both gave the same.'),
            differences: list('One sentence each.', { type: 'string' }),
          },
          { neither: text('Why neither could do it, in the words of the first.') },
        ),
      ),
    }),
    answerOf(['check'], 'What the rules found.', {
      findings: list(
        'In the order of the config.',
        closed(
          'One of them.',
          {
            rule: text('As source-pinned.'),
            severity: oneWord('How bad it is.', ['warning', 'error']),
            entry: text('The entry’s id.'),
            destination: text('Its first target.'),
            message: text('What is wrong.'),
            at: defined('position'),
          },
          { hint: text('How to mend it.'), waived: text('The reason of the waiver that covers it.') },
        ),
      ),
      offline: flag('Rules that ask a registry were left out.'),
    }),
    answerOf(
      ['diff'],
      'What a sync would change, and what it would cost.',
      {
        entries: list('A row for each destination repository:tag, and for what is gone at the source.', diffRow),
        selections: list('In the config’s order.', attrition),
        hosts: {
          description: 'Host → requests of the cost.',
          type: 'object',
          additionalProperties: { type: 'integer', minimum: 1 },
        },
      },
      {
        cost: { ...cost, description: 'Of the whole sync, what is unchanged included.' },
        quota: closed(
          'What Docker Hub lets us read, when it says so.',
          { registry: text('As docker.io.'), remaining: count('Pulls that are left.'), window: count('Seconds.') },
          { limit: count('Pulls in a window.') },
        ),
      },
    ),
    answerOf(['update'], 'What the sources name, and what was written.', {
      lock: text('Name of the lock, beside the config.'),
      changes: list('Every tag that was looked up, and those that are gone.', lockChange),
      failed: list(
        'What could not be looked up, and keeps what is written of it.',
        closed('One of them.', { id: text('Of the entry or the selection.'), failure: defined('failure') }),
      ),
      stale: flag('What was written before is out of date.'),
      written: flag('Files were changed.'),
    }),
    answerOf(['import'], 'The config of another tool as one of ours.', {
      config: text('A config.yaml that loads.'),
      settings: text('Settings that go with it: a mirror, and what the file says of registries.'),
      unsupported: remarks('What has no equivalent, in the order of the file.'),
      notes: remarks(
        'What is in the config or the settings in other words, and what need not be said. In the same order.',
      ),
    }),
    answerOf(['policy export'], 'The policies of one consumer.', {
      kind: oneWord('Who reads them.', ['kyverno', 'policy-controller', 'containers']),
      files: list(
        'What is to be put in place.',
        closed('One file.', { path: text('Where it belongs, or a name for it.'), content: text('The whole of it.') }),
      ),
      documents: list('The same as data.', { type: 'object' }),
      notes: list('What must be known before.', { type: 'string' }),
    }),
    answerOf(['tools install'], 'The tools that are there now.', {
      tools: list(
        'Each that was asked for.',
        closed('One tool.', { name: text('As crane.'), version: text('Its version.'), path: text('Where it is.') }),
      ),
    }),
  ],
  $defs: definitions,
};
