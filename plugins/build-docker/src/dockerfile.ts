/** The images that a Dockerfile is made of. Pure: text in, references or the place of a mistake out. */
import { configFailure, fail, formatPlatform, ok, parseReference } from '@slipway/core';
import type { ConfigFailure, Platform, Reference, Result } from '@slipway/core';
import { readInstructions, unquote, type Instruction, type Instructions, type Word } from './instructions.ts';
import { expand } from './variables.ts';

export interface Image {
  /** As the builder sees it, variables replaced: the name that `--build-context` must have. */
  readonly text: string;
  readonly reference: Reference;
  /** False: only stages have it that the last one, which is what is built, takes nothing from. The builder leaves them out. */
  readonly needed: boolean;
}

export interface Question {
  /** For positions: relative to the root. */
  readonly file: string;
  /** Build arguments that are given from outside, by name. */
  readonly args: Readonly<Record<string, string>>;
  readonly platform: Platform;
}

interface Stage {
  /** Texts of images from outside. */
  readonly images: Set<string>;
  /** Numbers of stages. */
  readonly from: Set<number>;
}

/** Every image from outside, each text once, in the order of the file. Stages and `scratch` are none. */
export function imagesOf(text: string, question: Question): Result<readonly Image[], ConfigFailure> {
  const file = readInstructions(text);
  const names = stageNames(file.instructions);
  const images = new Map<string, Reference>();
  const values = predefined(question);
  const earlier = new Map<string, number>();
  const stages: Stage[] = [];
  for (const instruction of file.instructions) {
    const isFrom = instruction.keyword === 'FROM';
    if (instruction.keyword === 'ARG' && stages.length === 0) declare(instruction, question, values, file.escape);
    const named = isFrom
      ? fromImage(instruction, { ...question, values, escape: file.escape })
      : otherImages(instruction, question, file);
    if (!named.ok) return named;
    if (isFrom) stages.push({ images: new Set(), from: new Set() });
    const stage = stages.at(-1);
    for (const { name, word } of named.value) {
      const isNumber = !isFrom && /^\d+$/.test(name);
      const own = isFrom ? earlier.get(name) : isNumber ? Number(name) : names.get(name.toLowerCase());
      if (own !== undefined) stage?.from.add(own);
      if (own !== undefined || name === 'scratch') continue;
      stage?.images.add(name);
      if (images.has(name)) continue;
      const reference = toReference(name, names, at(question, instruction, word));
      if (!reference.ok) return reference;
      images.set(name, reference.value);
    }
    const called = isFrom ? stageName(instruction) : undefined;
    if (called !== undefined) earlier.set(called, stages.length - 1);
  }
  if (stages.length === 0) {
    return fail(
      configFailure(
        `${question.file} has no FROM`,
        'a Dockerfile begins with the image it is built on, as FROM scratch',
        { file: question.file, line: 1, column: 1 },
      ),
    );
  }
  const used = new Set(reachedStages(stages).flatMap((stage) => [...stage.images]));
  return ok([...images].map(([name, reference]) => ({ text: name, reference, needed: used.has(name) })));
}

/** From the last one on, as the builder does it. */
function reachedStages(stages: readonly Stage[]): readonly Stage[] {
  const reached = new Set([stages.length - 1]);
  for (const number of reached) for (const next of stages[number]?.from ?? []) reached.add(next);
  return [...reached].flatMap((number) => stages[number] ?? []);
}

interface Named {
  readonly name: string;
  readonly word: Word;
}

function toReference(
  name: string,
  stages: ReadonlyMap<string, number>,
  position: NonNullable<ConfigFailure['at']>,
): Result<Reference, ConfigFailure> {
  const reference = parseReference(name);
  if (!reference.ok) return fail(configFailure(reference.failure.message, reference.failure.hint, position));
  // The builder looks up stages and contexts by one name: the image would be put in the place of the whole stage.
  const { registry, path } = reference.value;
  const short = path.replace(/^library\//, '');
  if (
    registry === 'docker.io' &&
    reference.value.kind === 'tagged' &&
    reference.value.tag === 'latest' &&
    stages.has(short)
  ) {
    return fail(
      configFailure(
        `the stage "${short}" has the same name as the image "${name}"`,
        'give the stage another name, or the image a tag',
        position,
      ),
    );
  }
  return reference;
}

/** https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope */
function predefined({ platform, args }: Question): Map<string, string> {
  const variant = platform.architecture === 'arm64' && platform.variant === 'v8' ? '' : (platform.variant ?? '');
  const { os, architecture } = platform;
  const values = new Map([
    ['TARGETPLATFORM', formatPlatform(variant === '' ? { os, architecture } : { os, architecture, variant })],
    ['TARGETOS', os],
    ['TARGETARCH', architecture],
    ['TARGETVARIANT', variant],
  ]);
  for (const name of values.keys()) if (Object.hasOwn(args, name)) values.set(name, args[name] ?? '');
  return values;
}

/** `ARG A=1 B`: what is given from outside wins. A default that cannot be made out leaves its argument without a value. */
function declare({ words }: Instruction, { args }: Question, values: Map<string, string>, escape: string): void {
  for (const { raw } of words) {
    const equals = raw.indexOf('=');
    const name = equals < 0 ? raw : raw.slice(0, equals);
    const given = Object.hasOwn(args, name) ? args[name] : undefined;
    const otherwise = equals < 0 ? undefined : expand(raw.slice(equals + 1), values, escape);
    if (given !== undefined) values.set(name, given);
    else if (otherwise?.ok === true) values.set(name, otherwise.text);
  }
}

interface Scope extends Question {
  readonly values: ReadonlyMap<string, string>;
  readonly escape: string;
}

function fromImage(instruction: Instruction, scope: Scope): Result<readonly Named[], ConfigFailure> {
  const [word, as, stage] = instruction.words;
  const wellFormed =
    as === undefined || (as.raw.toUpperCase() === 'AS' && stage !== undefined && instruction.words.length === 3);
  if (word === undefined || !wellFormed) {
    const position = { file: scope.file, ...instruction.place(word?.start ?? 0) };
    return fail(
      configFailure(
        'FROM takes an image, and after AS the name of the stage',
        'as FROM alpine:3.20 AS build',
        position,
      ),
    );
  }
  const expanded = expand(word.raw, scope.values, scope.escape);
  const position = at(scope, instruction, word);
  if (!expanded.ok)
    return fail(configFailure(`FROM ${word.raw}: ${expanded.problem}`, missingValue(word.raw), position));
  if (expanded.text.trim() === '')
    return fail(configFailure(`FROM ${word.raw} names no image`, missingValue(word.raw), position));
  return ok([{ name: expanded.text, word }]);
}

function missingValue(word: string): string {
  return /\$\{?BUILD(?:PLATFORM|OS|ARCH|VARIANT)/.test(word)
    ? 'the image would depend on the machine that builds: use TARGETPLATFORM and its like'
    : 'give it a default before the first FROM, as ARG NAME=value, or a value in the buildArgs of the plugin build-docker';
}

/** `COPY --from=…` and `RUN --mount=from=…`. */
function otherImages(
  instruction: Instruction,
  question: Question,
  { escape }: Instructions,
): Result<readonly Named[], ConfigFailure> {
  const named: Named[] = [];
  for (const word of instruction.flags) {
    const flag = unquote(word.raw, escape);
    const name = instruction.keyword === 'RUN' ? mountFrom(flag) : copyFrom(instruction.keyword, flag);
    if (name === undefined || name === '') continue;
    if (name.includes('$')) {
      const hint = 'the builder replaces no variables here: name a stage, and give it the image with FROM';
      return fail(
        configFailure(
          `${instruction.keyword} ${word.raw} has a variable in "from"`,
          hint,
          at(question, instruction, word),
        ),
      );
    }
    named.push({ name, word });
  }
  return ok(named);
}

function copyFrom(keyword: string, flag: string): string | undefined {
  return keyword === 'COPY' || keyword === 'ADD' ? /^--from=(.*)$/s.exec(flag)?.[1] : undefined;
}

/** The value is one record of CSV. */
function mountFrom(flag: string): string | undefined {
  const record = /^--mount=(.*)$/s.exec(flag)?.[1];
  const fields = record?.match(/"(?:[^"]|"")*"|[^,]+/g) ?? [];
  return fields
    .map((field) => (field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field))
    .map((field) => /^from=(.*)$/is.exec(field)?.[1])
    .find((name) => name !== undefined);
}

function stageName({ words }: Instruction): string | undefined {
  return words[2]?.raw.toLowerCase();
}

/** Name → number of the last stage that is called so. */
function stageNames(instructions: readonly Instruction[]): ReadonlyMap<string, number> {
  const froms = instructions.filter(({ keyword }) => keyword === 'FROM').map(stageName);
  return new Map(froms.flatMap((name, number) => (name === undefined ? [] : [[name, number] as const])));
}

function at({ file }: Question, instruction: Instruction, word: Word): NonNullable<ConfigFailure['at']> {
  return { file, ...instruction.place(word.start) };
}
