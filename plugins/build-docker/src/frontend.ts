/** The image that reads the Dockerfile in the builder's place: `# syntax=docker/dockerfile:1`. It decides all that is built. Pure. */
import { configFailure, fail, formatPinned, isLocation, ok, parseReference } from '@slipway/core';
import type { ConfigFailure, Pinned, Reference, Result } from '@slipway/core';
import { readInstructions } from './instructions.ts';

/** What names it, for buildx and the builder, and wins over the line in the file. */
const ARGUMENT = 'BUILDKIT_SYNTAX';

export interface Frontend {
  /** As it is written, which is what a named context must be called. */
  readonly text: string;
  readonly reference: Reference;
  /** What follows it, and is for it to read. */
  readonly words: string;
}

interface Question {
  /** For positions: relative to the root. */
  readonly file: string;
  readonly args: Readonly<Record<string, string>>;
}

/** Nothing where the builder reads the file itself. */
export function frontendOf(text: string, { file, args }: Question): Result<Frontend | undefined, ConfigFailure> {
  const given = args[ARGUMENT]?.trim();
  const { syntax } = readInstructions(text);
  const value = given ?? syntax?.value;
  if (value === undefined) return ok(undefined);
  const [name = '', ...words] = value.split(' ');
  const reference = parseReference(name);
  if (reference.ok) return ok({ text: name, reference: reference.value, words: words.join(' ') });
  const { message, hint } = reference.failure;
  if (given !== undefined) return fail(configFailure(`${ARGUMENT} in the buildArgs of build-docker: ${message}`, hint));
  return fail(configFailure(`the syntax line: ${message}`, hint, syntax && { file, ...syntax.place }));
}

/**
 * The build arguments, with the frontend by digest among them: not every builder looks it up among the named contexts. One in a layout
 * can only be found there.
 */
export function argsWith(
  args: Readonly<Record<string, string>>,
  frontend: Frontend | undefined,
  bases: Readonly<Record<string, Pinned>>,
): Readonly<Record<string, string>> {
  const image = frontend && Object.hasOwn(bases, frontend.text) ? bases[frontend.text] : undefined;
  if (frontend === undefined || image === undefined || isLocation(image)) return args;
  return { ...args, [ARGUMENT]: `${formatPinned(image)} ${frontend.words}`.trim() };
}
