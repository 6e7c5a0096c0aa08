/** `verify`: every destination as a consumer would, and the cosign commands that show the same. */
import {
  cancelled,
  cosignCommands,
  formatVerified,
  isLocation,
  parseLocation,
  type FailedSelection,
  type VerifiedTarget,
  verifyAll,
} from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import { deadline } from '../deadline.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { painter } from '../paint.ts';
import { whyNobodyCounts } from '../preflight.ts';
import { prepare } from '../prepare.ts';
import { openCommandSession } from '../session.ts';

export interface VerifyOptions extends Options {
  /** Also each platform's own SBOM and scan. */
  readonly deep: boolean;
}

export async function verifyCommand(io: Io, options: VerifyOptions): Promise<number> {
  const { json, deep } = options;
  const signal = deadline(io, options);
  const prepared = await prepare(io, options, 'run', signal);
  if (!prepared.ok) return refuse(io, json, 'verify', prepared.failures);
  const { signing, warnings } = prepared.value;
  for (const warning of warnings) io.stderr(`warning: ${warning}\n`);
  const unsigned = whyNobodyCounts(prepared.value);
  if (unsigned !== undefined) return refuse(io, json, 'verify', [unsigned]);
  // A file that came with a checkout must not vouch for anything here.
  const opened = await openCommandSession(io, { prepared: prepared.value, purpose: 'run', remember: false, signal });
  if (!opened.ok) return refuse(io, json, 'verify', opened.failures);
  await using session = opened.value;
  const found = await verifyAll(session.engine, { deep, signal });
  const checked = [...found, ...prepared.value.failed.map(unknown)];
  if (signal.aborted) return refuse(io, json, 'verify', [cancelled]);
  const exitCode = checked.every(({ ok, failure }) => ok && failure === undefined) ? EXIT.done : EXIT.failed;
  const entries = checked.map(({ destination, digest, ok, missing, trust, backup, failure }) => ({
    destination,
    digest,
    ok,
    missing,
    trust,
    ...(backup === undefined ? {} : { backup }),
    ...(failure === undefined ? {} : { failure }),
  }));
  return answer(io, json, 'verify', exitCode, { entries }, () => {
    const example = checked.find(
      ({ ok, trust, digest, destination, backup }) =>
        ok && trust === 'full' && backup === undefined && digest !== null && !inLayout(destination),
    );
    const commands =
      example === undefined || signing === undefined
        ? []
        : ['', 'The same with cosign:', ...cosignCommands(example, signing)];
    return `${formatVerified(checked, painter(io))}${commands.map((line) => `${line}\n`).join('')}`;
  });
}

/** A selection whose tags are not known: what it should have published cannot be looked at. */
function unknown({ selection: { id, destination }, failure }: FailedSelection): VerifiedTarget {
  return { id, destination, digest: null, ok: false, missing: [], trust: 'full', failure };
}

/** cosign asks registries only. */
function inLayout(destination: string): boolean {
  const place = parseLocation(destination);
  return place.ok && isLocation(place.value);
}
