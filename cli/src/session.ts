/** Opens what a command works with. */
import { join } from 'node:path';
import {
  openElsewhere,
  openSession,
  plainView,
  stateFailure,
  type Checked,
  type Event,
  type Planned,
  type Session,
} from '@slipway/core';
import type { Io } from './io.ts';
import type { Prepared } from './prepare.ts';
import { VERSION } from './version.ts';

export interface SessionRequest {
  readonly prepared: Prepared;
  /** In place of the prepared one. */
  readonly planned?: Planned;
  readonly purpose: 'run' | 'scan';
  readonly signal: AbortSignal;
  /** False: nothing that an earlier run remembered is believed. */
  readonly remember?: boolean;
  /** Nothing is changed anywhere, so that it also works where nothing can be written. */
  readonly looks?: true;
  /** It moves or deletes tags, of which there has to be a record. */
  readonly moves?: true;
  /** An image is done only if its platforms are. */
  readonly deep?: true;
  readonly report?: (event: Event) => void;
}

/** What a session warns of, for commands that show nothing else of how far they are. */
export function warningsTo({ stderr }: Io): (event: Event) => void {
  const { lines } = plainView();
  return (event) => {
    if (event.type === 'warning') for (const line of lines(event)) stderr(`${line}\n`);
  };
}

/**
 * Fails when `.slipway` beside the config cannot be written, unless the command only looks, or moves nothing and would not believe
 * what is there anyway.
 */
export async function openCommandSession(io: Io, request: SessionRequest): Promise<Checked<Session>> {
  const { config, settings, planned, host, finder, signing } = request.prepared;
  const options = {
    config,
    settings,
    planned: request.planned ?? planned,
    host,
    finder,
    env: io.env,
    version: VERSION,
    purpose: request.purpose,
    ...(signing === undefined ? {} : { signing }),
    ...(request.deep === undefined ? {} : { deep: request.deep }),
    ...(request.remember === undefined ? {} : { remember: request.remember }),
    signal: request.signal,
    report: request.report ?? (() => {}),
  };
  try {
    return { ok: true, value: await openSession(options) };
  } catch (error) {
    const failure = stateFailure(error);
    if (failure === undefined) throw error;
    const known = request.looks === true ? join(config.folder, '.slipway') : undefined;
    if (known === undefined && (request.remember !== false || request.moves === true))
      return { ok: false, failures: [failure] };
    const elsewhere = await openElsewhere(options, known);
    return elsewhere.ok ? elsewhere : { ok: false, failures: [elsewhere.failure] };
  }
}
