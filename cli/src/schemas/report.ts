/** The schema of `run.json`, which a report is made of. */
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
  flag,
  list,
  oneWord,
  orNull,
  outcomes,
  platformPackages,
  rowParts,
  text,
} from './shared.ts';

const severity = oneWord('How bad it is.', ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN']);
const vulnerability = text('As CVE-2026-12345.');
const commands = list(
  'To be copied into a shell.',
  closed('One command.', { what: text('What it does.'), command: text('The command.') }),
);

const finding = closed(
  'One vulnerability of one package.',
  {
    id: vulnerability,
    severity,
    package: text('The package’s name.'),
    installed: text('Its version.'),
    platforms: list('Where it was found.', text('As linux/amd64.')),
  },
  {
    purl: text('https://github.com/package-url/purl-spec.'),
    fixed: text('The version that has it no more; absent when none is known.'),
    title: text('In a few words.'),
    layer: text('The layer that brought it, where the scanner says.'),
  },
);

const news = closed('What is different in findings from the image before, or from its scan before.', {
  new: list('Ids.', vulnerability),
  gone: list(
    'Each once, the most severe first.',
    closed('One of them.', { id: vulnerability, severity, package: text('The package’s name.') }),
  ),
});

const lookedInto = {
  counts: rowParts.findings,
  findings: list('The most severe first.', defined('finding')),
  size: rowParts.size,
  packages: rowParts.packages,
  sbom: platformPackages,
} as const;
/** What is there where it is known. */
const lookedIntoWhereKnown = {
  unscanned: rowParts.unscanned,
  endOfLife: rowParts.endOfLife,
  scanned: text('When its newest scan ended, RFC 3339.'),
  database: text('When the database of that scan was made.'),
} as const;

const image = closed(
  'One tag: what the run made, and what the tag names now.',
  {
    id: rowParts.id,
    destination: rowParts.destination,
    digest: rowParts.digest,
    before: rowParts.before,
    why: rowParts.why,
    seconds: rowParts.seconds,
    outcome: oneWord('What became of it; unfinished: its journal has no end of it.', [...outcomes, 'unfinished']),
    tag: orNull({
      ...defined('digest'),
      description: 'What the tag names now; null when that is nothing, or not known.',
    }),
    signed: orNull(flag('Our signature was verified; null when no journal has what is attached to it.')),
    ended: amount('Milliseconds from the run’s beginning to the end of the entry, or of the journal.'),
    changes: list('What is different from what was published.', defined('change')),
    attachments,
    commands,
    ...lookedInto,
  },
  {
    backup: rowParts.backup,
    waived: rowParts.waived,
    failure: defined('failure'),
    ...lookedIntoWhereKnown,
    made: closed(
      'What was made and kept from the tag; absent where the tag names it, and where nothing was made.',
      { digest: defined('digest'), ...lookedInto },
      { ...lookedIntoWhereKnown, news: { ...defined('news'), description: 'Against what the tag names.' } },
    ),
    sizeBefore: count('Bytes of the image that the tag named before; absent when not known.'),
    news: defined('news'),
    packageNews: list(
      'Packages that are different from the image before; absent when one of the two lists is not known.',
      closed('One of them.', {
        name: text('The package’s name.'),
        from: orNull(text('Its version before; null when it was not there.')),
        to: orNull(text('Its version now; null when it is gone.')),
      }),
    ),
    log: list('The last lines that the failed task wrote.', { type: 'string' }),
    logLines: count('How many it wrote; absent when those are all.'),
  },
);

const deletion = closed(
  'A tag that prune deleted, or was to.',
  {
    tag: text('As registry/repository:tag.'),
    digest: text('What it names, or named.'),
    state: oneWord('unfinished: it may be gone.', ['deleted', 'failed', 'unfinished']),
    asked: flag('The registry was asked to delete it.'),
    commands,
  },
  { failure: defined('failure') },
);

const widespread = closed(
  'One vulnerability, over all images.',
  {
    id: vulnerability,
    severity,
    packages: list('Names of packages that have it.', { type: 'string' }),
    fixed: flag('A version without it is known.'),
    destinations: list('Whose tag names an image that has it.', { type: 'string' }),
    unpublished: list('For which an image was made that has it, and was kept from the tag.', { type: 'string' }),
    new: list('Destinations whose image, or scan, before did not have it.', { type: 'string' }),
    gone: list('Destinations whose image, or scan, before had it.', { type: 'string' }),
  },
  {
    title: text('In a few words.'),
    overall: oneWord('Of all tags together.', ['new', 'gone']),
  },
);

const task = closed(
  'One task.',
  {
    id: text('As build:ghcr.io/a/b:1#scan.'),
    step: text('As scan, or of a package its config.'),
    ms: amount('How long it took; of one that runs still, to the end of the journal.'),
    state: oneWord('How it ended, or that it has not.', [
      'ok',
      'failed',
      'refused',
      'skipped',
      'cancelled',
      'waiting',
      'running',
    ]),
    critical: flag('Had it been quicker, the run would have been.'),
  },
  {
    entry: text('Absent for what several entries share.'),
    start: amount('Milliseconds since the run began; absent when it never did.'),
    waited: amount('Milliseconds that it could have begun earlier, had there been a place for it.'),
    attempts: { description: 'How often it was tried; absent when once was enough.', type: 'integer', minimum: 2 },
  },
);

export const reportSchema: JsonSchema = {
  $schema: DRAFT,
  title: 'Slipway report',
  ...closed(
    'run.json of a report: what the journal of a run, and those before it, come to.',
    {
      slipway: { description: 'Version of this document.', const: 1 },
      run: text('The run’s id.'),
      command: text('What was asked for.'),
      version: text('Slipway’s version.'),
      started: amount('Milliseconds since 1970.'),
      seconds: orNull(amount('How long it took; null when it was killed, or is still at work.')),
      exitCode: orNull({ description: 'Of the command; null when it has not ended.', enum: [0, 1, 2, 3, 5, 130] }),
      counts: { description: 'Rows by outcome.', type: 'object', additionalProperties: count('How many.') },
      images: list('A row for each tag, in the order of their end; then those without one.', image),
      deletions: list('Of prune, in the order of their beginning.', deletion),
      vulnerabilities: list('The most severe first, then the most widespread.', widespread),
      tasks: list('All of the run.', task),
      edges: list('Between entries, and packages: the second takes what the first comes to.', {
        type: 'array',
        prefixItems: [{ type: 'string' }, { type: 'string' }],
        items: false,
        minItems: 2,
      }),
      warnings: list('Things to know that stopped nothing.', { type: 'string' }),
    },
    { asked },
  ),
  $defs: { ...definitions, finding, news },
};
