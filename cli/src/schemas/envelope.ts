/** The schema of every `--json` answer: one closed object for each command, and one for a command that was refused. */
import type { JsonSchema } from '@slipway/core';
import { amount, closed, count, defined, definitions, DRAFT, flag, list, oneWord, orNull, text } from './shared.ts';

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

const plannedEntry = closed(
  'An entry of config.yaml.',
  {
    id: text('Kind and destination as the config has it, as sync:docker.io/library/alpine:3.20.'),
    kind: oneWord('Which list it is in.', ['sync', 'build']),
    source: text('Reference, or path of the build’s source.'),
    destination: text('Where its first target goes, after --to.'),
    targets: list('Every repository:tag it publishes to.', { type: 'string' }),
    at: text('As config.yaml:12:5.'),
    needs: list('Ids of the entries whose digest it takes.', { type: 'string' }),
    trust: oneWord('full: the whole chain; copy: a mirror, neither scanned nor signed.', ['full', 'copy']),
  },
  {
    mode: text('How a build entry is built, as apko.'),
    retagOf: text('The entry whose image this sync only tags again.'),
    admits: oneWord('Nothing of its source is copied before this contract has looked at it.', [
      'image.verify@1',
      'core.admit@1',
    ]),
    unsigned: { description: 'A --to run without a scratch key: nothing is signed.', const: true },
    skip: text('Why it will not run here.'),
  },
);

const plannedSelection = closed('A selection whose tags are not known yet: its entries are not in the plan.', {
  id: text('As sync:ghcr.io/example/node:{tag}.'),
  source: text('The repository.'),
  destination: text('With {tag} in it, after --to.'),
  at: text('As config.yaml:12:5.'),
  select: closed(
    'As the config has it.',
    {
      tags: list('Tags by name.', { type: 'string' }),
      exclude: list('Globs.', { type: 'string' }),
      prerelease: flag('Prereleases count.'),
      allowEmpty: flag('That there is none is no failure.'),
    },
    {
      semver: list('Ranges of versions.', { type: 'string' }),
      regex: text('For the whole tag.'),
      extract: text('Its group is compared.'),
      sort: oneWord('What is compared.', ['semver', 'numeric', 'alphabetical']),
      latest: count('How many.'),
      minimum: count('Fewer are a failure.'),
    },
  ),
});

const plannedTask = closed('A node of the graph.', {
  id: text('As build:ghcr.io/a/b:1#scan.'),
  contract: text('As image.scan@1.'),
  entry: { ...text('The entry it belongs to; null for a package.'), type: ['string', 'null'] },
  needs: list('Ids of the tasks that go before.', { type: 'string' }),
});

const probe = closed(
  'What the registries say about an entry.',
  {
    id: text('The entry’s id.'),
    goal: flag('Nothing is to be done for it.'),
    why: text('What is so, or what is not.'),
  },
  { changes: list('What is different from what is published.', defined('change')), failure: defined('failure') },
);

const why = closed(
  'An entry, or one of its targets.',
  {
    id: text('The entry’s id.'),
    why: text('What was, or is, the reason.'),
    changes: list('What is different from what is published.', defined('change')),
  },
  {
    destination: text('Of the journal: the target.'),
    outcome: text('Of the journal: what became of it.'),
    run: text('Of the journal: the run.'),
    at: amount('Of the journal: milliseconds since 1970.'),
    digest: orNull({ ...defined('digest'), description: 'Of the journal: what it came to.' }),
    before: orNull({ ...defined('digest'), description: 'Of the journal: what the tag named before.' }),
    tasks: list(
      'Of the journal: what was done.',
      closed('One task.', { id: text('Its id.'), state: text('How it ended.'), ms: count('Milliseconds.') }),
    ),
    goal: flag('With --resolve: nothing is to be done.'),
    steps: list('With --resolve: what would follow.', { type: 'string' }),
    ms: amount('With --resolve: milliseconds that those steps took before.'),
    dependents: list('With --resolve: entries that take its digest.', { type: 'string' }),
  },
);

const affected = closed('A destination with the vulnerability.', {
  id: text('The entry’s id.'),
  destination: text('The tag.'),
  digest: defined('digest'),
  scannedAt: text('RFC 3339.'),
  findings: list('By package and platform, as the contract image.scan@1 has them.', { type: 'object' }),
});

const cost = closed('What a copy costs. Tokens, redirects and tries that are made again come on top.', {
  requests: count('To all hosts.'),
  bytes: count('Of blobs that have to be sent.'),
  pulls: count('Manifests read from Docker Hub.'),
});

const diffRow = closed(
  'One destination repository:tag.',
  {
    id: text('Of the entry; of the selection where it is gone.'),
    source: text('Where it comes from.'),
    destination: text('Where it goes.'),
    kind: oneWord('How the two compare; waits: it takes what a build will come to.', [
      'new',
      'moved',
      'same',
      'gone',
      'waits',
      'failed',
    ]),
  },
  {
    from: { ...defined('digest'), description: 'What its tag names now.' },
    to: { ...defined('digest'), description: 'What it will name.' },
    cost: { ...cost, description: 'Of the whole entry, in the row of its own destination.' },
    why: text('What else there is to say.'),
    failure: defined('failure'),
  },
);

const attrition = closed(
  'Which tags a selection takes.',
  {
    id: text('Of the selection.'),
    source: text('The repository.'),
    seen: count('Tags at the source.'),
    selected: count('Tags that are taken.'),
    dropped: {
      description: 'Test → tags that it dropped.',
      type: 'object',
      additionalProperties: { type: 'integer', minimum: 1 },
    },
  },
  { failure: defined('failure') },
);

const lockChange = closed(
  'One tag and what it named.',
  {
    id: text('Of the entry, or of the selection that chose the tag.'),
    source: text('Repository and tag.'),
    in: oneWord('Which file has its digest.', ['lock', 'config']),
    kind: oneWord('How it compares with what was written before.', ['new', 'moved', 'gone', 'same']),
  },
  {
    from: { ...defined('digest'), description: 'Before.' },
    to: { ...defined('digest'), description: 'Now.' },
    platforms: list('As linux/amd64; of what it names now, or named when it is gone.', { type: 'string' }),
  },
);

const verified = closed(
  'One destination as a consumer sees it.',
  {
    destination: text('The reference that was looked at.'),
    digest: orNull({ ...defined('digest'), description: 'What the tag names; null when there is none.' }),
    ok: flag('Nothing is missing.'),
    missing: list('As signature, sbom, scan, tag, or linux/arm64: scan.', { type: 'string' }),
    trust: oneWord('What is required of it.', ['full', 'copy']),
  },
  {
    backup: { description: 'It keeps what a sync overwrote, and is not verified.', const: true },
    failure: defined('failure'),
  },
);

const prunedTag = closed(
  'A tag that may go.',
  {
    destination: text('Repository and tag.'),
    digest: { ...defined('digest'), description: 'What it names, or named.' },
    state: oneWord('What became of it.', ['listed', 'deleted', 'failed']),
    why: text('What the signed attestation on it says.'),
  },
  { failure: defined('failure') },
);

const shownImage = closed(
  'An image and what is attached to it.',
  {
    reference: text('As asked for.'),
    digest: defined('digest'),
    mediaType: text('Of its manifest or index.'),
    size: count('Bytes of all configs and layers.'),
    subjects: list(
      'The index, if there is one, and each platform.',
      closed('One manifest.', {
        digest: defined('digest'),
        platform: { ...text('As linux/amd64; null for an index.'), type: ['string', 'null'] },
        referrers: list(
          'What is attached to it.',
          closed('One referrer.', {
            digest: defined('digest'),
            type: text('Predicate type, else artifact or media type.'),
            claims: { ...text('Who its annotations say has signed; proves nothing.'), type: ['string', 'null'] },
            verified: {
              description: 'It verified against the accepted signers; null when the settings name none.',
              type: ['boolean', 'null'],
            },
          }),
        ),
      }),
    ),
  },
  { sbom: text('The outline of the attested SBOM, when it was asked for.') },
);

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
      { probes: list('With --resolve: what is to be done, and why.', probe) },
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
      { refused: { ...defined('failure'), description: 'Why --delete would delete nothing.' } },
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
      unsupported: list(
        'What has no equivalent, in the order of the file.',
        closed('One of them.', {
          at: defined('position'),
          what: text('As creds[0].pass.'),
          why: text('Why, what was done instead, and where it belongs.'),
        }),
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
