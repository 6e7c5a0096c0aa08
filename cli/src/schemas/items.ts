/** What the answers of the commands list: one closed object for each kind of item. */
import { amount, closed, count, defined, flag, list, oneWord, orNull, text } from './shared.ts';

export const plannedEntry = closed(
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

export const plannedSelection = closed('A selection whose tags are not known yet: its entries are not in the plan.', {
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

export const plannedTask = closed('A node of the graph.', {
  id: text('As build:ghcr.io/a/b:1#scan.'),
  contract: text('As image.scan@1.'),
  entry: { ...text('The entry it belongs to; null for a package.'), type: ['string', 'null'] },
  needs: list('Ids of the tasks that go before.', { type: 'string' }),
});

export const probe = closed(
  'What the registries say about an entry.',
  {
    id: text('The entry’s id.'),
    goal: flag('Nothing is to be done for it.'),
    why: text('What is so, or what is not.'),
  },
  { changes: list('What is different from what is published.', defined('change')), failure: defined('failure') },
);

export const why = closed(
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
    failure: { ...defined('failure'), description: 'With --resolve: why it could not be looked at.' },
  },
);

export const affected = closed('A destination with the vulnerability.', {
  id: text('The entry’s id.'),
  destination: text('The tag.'),
  digest: defined('digest'),
  scannedAt: text('RFC 3339.'),
  findings: list('By package and platform, as the contract image.scan@1 has them.', { type: 'object' }),
});

export const cost = closed('What a copy costs. Tokens, redirects and tries that are made again come on top.', {
  requests: count('To all hosts.'),
  bytes: count('Of blobs that have to be sent.'),
  pulls: count('Manifests read from Docker Hub.'),
});

export const diffRow = closed(
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

export const attrition = closed(
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

export const lockChange = closed(
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

export const drifted = closed('A destination that is not as a run leaves it.', {
  id: text('The entry’s id.'),
  destination: text('The tag.'),
  digest: orNull({ ...defined('digest'), description: 'What it names; null when there is no such tag.' }),
  missing: list('As signature, sbom, scan, tag, or linux/arm64: scan.', { type: 'string' }),
});

export const verified = closed(
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

export const prunedTag = closed(
  'A tag that may go.',
  {
    destination: text('Repository and tag.'),
    digest: { ...defined('digest'), description: 'What it names, or named.' },
    state: oneWord('What became of it.', ['listed', 'deleted', 'failed']),
    why: text('What the signed attestation on it says.'),
  },
  { failure: defined('failure') },
);

export const shownImage = closed(
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
