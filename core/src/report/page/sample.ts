/** A run of as many images as asked for, as its journal has it: for the report's tests and its picture. */
import type { Failure, UsedWaiver } from '../../failure.ts';
import type { Event, ImageEvidence, Row } from '../../journal/events.ts';
import type { Finding, PlatformScan } from '../../trust/model.ts';

export interface SampleRun {
  readonly images: number;
  /** Beginning of each name; hostile in tests. */
  readonly name?: string;
}

const digest = (index: number, salt = 0): string =>
  `sha256:${(index * 7919 + salt * 104_729 + 1).toString(16).padStart(8, '0').repeat(8)}`;

export function sampleRun({ images, name = 'image' }: SampleRun): readonly Event[] {
  const ids = Array.from({ length: images }, (_, index) => `build:ghcr.io/example/${name}-${index}:1.${index % 9}`);
  const events: Event[] = [
    {
      t: 0,
      type: 'run.start',
      run: '20261125-203000-1a2b3c',
      command: 'run',
      version: '0.1.0',
      entries: ids,
      cosign: '--key cosign.pub --insecure-ignore-tlog=true',
      tasks: ids.map((id, index) => ({
        id: `${id}#probe`,
        contract: 'core.probe@1',
        entry: id,
        // Every fifth image is built on the first one.
        ...(index > 0 && index % 5 === 0 ? { needs: [`${ids[0] ?? ''}#tag`] } : {}),
      })),
    },
  ];
  for (const [index, id] of ids.entries()) events.push(...entryEvents(id, index));
  events.push({
    t: images * 60 + 20_000,
    type: 'run.done',
    exitCode: images > FAILED ? 1 : images > REFUSED ? 3 : 0,
    seconds: (images * 60 + 20_000) / 1000,
  });
  return events.map((event) => ({ ...event, t: BEGAN + event.t }));
}

/** A run of `prune`: a tag is deleted, one has moved meanwhile, one is refused. */
export function samplePrune(): readonly Event[] {
  const tag = (index: number) => ({ tag: `ghcr.io/example/image:${index}`, digest: digest(index) });
  const failed = (message: string) => ({
    state: 'failed' as const,
    failure: { reason: 'trust', class: 'permanent', message, hint: 'find out who else publishes it' } as const,
  });
  const start = { run: '20261125-203000-1a2b3c', command: 'prune', version: '0.1.0', entries: [], tasks: [] };
  return [
    { t: 0, type: 'run.start', ...start },
    { t: 10, type: 'tag.delete', ...tag(1) },
    { t: 20, type: 'tag.done', ...tag(1), state: 'deleted' },
    { t: 30, type: 'tag.done', ...tag(2), ...failed('it has moved') },
    { t: 40, type: 'tag.delete', ...tag(3) },
    { t: 50, type: 'tag.done', ...tag(3), ...failed('the registry does not delete tags') },
    { t: 60, type: 'run.done', exitCode: 1, seconds: 0.06 },
  ];
}

/** As the run's id says. */
const BEGAN = Date.UTC(2026, 10, 25, 20, 30);

/** Of these images the gate refuses one, and the build of the other fails. */
const REFUSED = 3;
const FAILED = 9;
/** These pass by a waiver of what is found in them. */
const WAIVED: Readonly<Partial<Record<number, UsedWaiver>>> = {
  4: { id: 'CVE-2026-1012', reason: 'The code that is concerned is not in this image.', expires: '2026-12-01' },
  5: { id: 'CVE-2026-1015', reason: 'Only whoever is root can reach it.', expires: '2027-03-31' },
};
const BUILD_FAILURE: Failure = {
  reason: 'tool',
  class: 'permanent',
  tool: 'apko',
  exitCode: 1,
  message: 'apko ended with code 1: could not find package "py3-flask>=9"',
  hint: 'look whether a repository has the package',
};

const STEPS = ['build', 'push', 'scan', 'sbom', 'gate', 'sign', 'attach', 'verify', 'tag'];

function entryEvents(id: string, index: number): readonly Event[] {
  const begin = 100 + index * 60;
  const unchanged = index % 3 === 1;
  const events: Event[] = [
    { t: begin, type: 'task.start', task: `${id}#probe`, attempt: 1 },
    { t: begin + 40, type: 'task.done', task: `${id}#probe`, state: 'ok', ms: 40 },
  ];
  const image = evidence(index);
  const ended = row(id, index, image);
  let at = begin + 50;
  if (!unchanged) {
    const changes = [{ part: `file images/${index}/image.yaml`, from: '0123456789ab', to: 'ba9876543210' }];
    events.push({
      t: at,
      type: 'entry.chain',
      entry: id,
      why: `changed: file images/${index}/image.yaml`,
      changes,
      tasks: chain(id),
    });
    const last = index === REFUSED ? 'gate' : index === FAILED ? 'build' : 'tag';
    for (const [position, step] of STEPS.entries()) {
      const task = `${id}#${step}`;
      const stopped = position > STEPS.indexOf(last);
      const ms = stopped ? 0 : 300 + ((index * 37 + position * 91) % 900);
      if (!stopped) events.push({ t: at, type: 'task.start', task, attempt: 1 });
      if (step === last && index === FAILED)
        events.push({ t: at, type: 'task.log', task, line: 'ERROR solving "py3-flask>=9" constraint' });
      at += ms;
      if (step === 'tag' && !stopped)
        events.push({
          t: at,
          type: 'tag.move',
          entry: id,
          tag: ended.destination,
          from: ended.before,
          to: image.digest,
        });
      const state = stopped
        ? 'skipped'
        : step !== last || last === 'tag'
          ? 'ok'
          : last === 'gate'
            ? 'refused'
            : 'failed';
      events.push({
        t: at,
        type: 'task.done',
        task,
        state,
        ms,
        ...(state === 'failed' ? { failure: BUILD_FAILURE } : {}),
      });
    }
  }
  if (index !== FAILED) events.push({ t: at, type: 'image', entry: id, image });
  events.push({ t: at, type: 'entry.done', entry: id, rows: [ended] });
  return events;
}

function chain(id: string) {
  return STEPS.map((step, position) => ({
    id: `${id}#${step}`,
    contract: `core.${step}@1`,
    entry: id,
    needs: [`${id}#${STEPS[position - 1] ?? 'probe'}`],
  }));
}

function evidence(index: number): ImageEvidence {
  const platforms = ['linux/amd64', 'linux/arm64'].map((platform, number): PlatformScan => {
    return {
      digest: digest(index, 10 + number) as PlatformScan['digest'],
      platform,
      status: 'scanned',
      os: 'alpine 3.20',
      packages: 40,
      findings: findings(index, platform),
    };
  });
  return {
    digest: digest(index),
    scan: {
      scanner: { name: 'trivy', version: '0.74.0', uri: 'pkg:golang/github.com/aquasecurity/trivy' },
      database: '2026-11-25T00:00:00Z',
      startedAt: '2026-11-25T20:30:00Z',
      finishedAt: '2026-11-25T20:30:05Z',
      platforms,
    },
    packages: platforms.map(({ platform }) => ({
      platform,
      packages: Array.from({ length: 40 }, (_, number) => ({
        name: `package-${number}`,
        version: `1.${(index + number) % 7}.0-r0`,
        purl: `pkg:apk/alpine/package-${number}@1.${(index + number) % 7}.0-r0`,
        license: number % 2 === 0 ? 'MIT' : 'GPL-2.0-only',
      })),
    })),
    attachments: [
      'https://sigstore.dev/cosign/sign/v1',
      'https://spdx.dev/Document',
      'https://slsa.dev/provenance/v1',
    ].map((type, number) => ({
      predicateType: type,
      referrer: digest(index, 20 + number),
      signer: 'a'.repeat(64),
      time: '2026-11-25T20:30:06Z',
    })),
  };
}

const SEVERITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'] as const;

function findings(index: number, platform: string): readonly Finding[] {
  return Array.from({ length: index % 8 }, (_, number) => ({
    id: `CVE-2026-${1000 + ((index * 3 + number) % 60)}`,
    severity: SEVERITIES[(index + number) % 4] ?? 'LOW',
    package: `package-${number}`,
    installed: '1.0.0-r0',
    ...(number % 2 === 0 ? { fixed: '1.0.1-r0' } : {}),
    title: 'A buffer is read beyond its end',
    platforms: [platform],
    layer: digest(index, 30),
  }));
}

function row(id: string, index: number, { digest: to, scan }: ImageEvidence): Row {
  const count = (severity: string): number =>
    scan?.platforms[0]?.findings.filter((finding) => finding.severity === severity).length ?? 0;
  const unchanged = index % 3 === 1;
  const known = index === FAILED ? null : to;
  const waiver = WAIVED[index];
  return {
    id,
    destination: id.slice('build:'.length),
    digest: known,
    outcome: outcomeOf(index),
    before: unchanged ? to : index % 4 === 0 ? null : digest(index, 1),
    why: unchanged ? 'its inputs are unchanged' : `changed: file images/${index}/image.yaml`,
    findings:
      known === null
        ? null
        : {
            CRITICAL: count('CRITICAL'),
            HIGH: count('HIGH'),
            MEDIUM: count('MEDIUM'),
            LOW: count('LOW'),
            UNKNOWN: 0,
          },
    ...(waiver === undefined ? {} : { waived: [waiver] }),
    signed: index !== REFUSED && index !== FAILED,
    size: known === null ? null : 5_000_000 + index * 100_000,
    packages: known === null ? null : 40,
    seconds: unchanged ? 0.1 : 4.2,
    ...failureOf(index),
  };
}

function outcomeOf(index: number): Row['outcome'] {
  if (index === REFUSED) return 'refused';
  if (index === FAILED) return 'failed';
  return index % 3 === 1 ? 'unchanged' : 'published';
}

function failureOf(index: number): { readonly failure?: Failure } {
  if (index === FAILED) return { failure: BUILD_FAILURE };
  if (index !== REFUSED) return {};
  return {
    failure: {
      reason: 'policy',
      class: 'policy',
      refusals: ['2 fixable HIGH', 'CVE-2026-1009 (HIGH) in package-0, fixed in 1.0.1-r0'],
      message: '2 fixable HIGH findings',
      hint: 'update the packages, or waive them',
    },
  };
}
