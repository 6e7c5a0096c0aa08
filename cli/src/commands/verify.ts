/** `verify`: every destination as a consumer would, and the cosign commands that show the same. */
import { cosignCommands, openSession, verifyAll } from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { prepare } from '../prepare.ts';
import { VERSION } from '../version.ts';

export interface VerifyOptions extends Options {
  /** Also each platform's own SBOM and scan. */
  readonly deep: boolean;
}

export async function verifyCommand(io: Io, options: VerifyOptions): Promise<number> {
  const prepared = await prepare(io, options, 'run');
  if (!prepared.ok) return refuse(io, options.json, 'verify', prepared.failures);
  const { config, settings, host, planned, finder, signing } = prepared.value;
  if (signing === undefined) {
    const hint = 'set signing.key and signing.publicKey, or signing.keyless, in the settings (signing.scratch for --to)';
    return refuse(io, options.json, 'verify', [{ reason: 'config', class: 'permanent', message: 'nothing says whose signatures count', hint }]);
  }
  await using session = await openSession({
    config,
    settings,
    planned,
    host,
    finder,
    env: io.env,
    version: VERSION,
    purpose: 'run',
    signing,
    // A file that came with a checkout must not vouch for anything here.
    remember: false,
    signal: io.interrupt,
    report: () => {},
  });
  const checked = await verifyAll(session.engine, { deep: options.deep, signal: io.interrupt });
  const failed = checked.flatMap(({ failure }) => (failure === undefined ? [] : [failure]));
  if (io.interrupt.aborted) return EXIT.interrupted;
  const complete = checked.every(({ ok }) => ok);
  const entries = checked.map(({ destination, digest, ok, missing, trust, failure }) => ({ destination, digest, ok, missing, trust, ...(failure === undefined ? {} : { failure }) }));
  return answer(io, options.json, 'verify', complete && failed.length === 0 ? EXIT.done : EXIT.failed, { entries }, () => {
    const lines = checked.map(({ destination, digest, ok, missing, trust, failure }) => {
      const state = failure === undefined ? (ok ? (trust === 'copy' ? 'a copy, not signed' : 'complete') : `missing: ${missing.join(', ')}`) : failure.message;
      return `${ok ? 'ok  ' : 'FAIL'}  ${destination} ${digest ?? '-'}: ${state}`;
    });
    const example = checked.find(({ ok, trust, digest }) => ok && trust === 'full' && digest !== null);
    const shown = example === undefined ? [] : ['', 'The same with cosign:', ...cosignCommands(example, signing)];
    return `${[...lines, ...shown].join('\n')}\n`;
  });
}
