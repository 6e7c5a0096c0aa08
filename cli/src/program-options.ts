/** Options that several commands share, and what their values may be. */
import { InvalidArgumentError, Option, type Command } from 'commander';
import { parseDuration } from '@slipway/core';
import { DEFAULT_CONFIG } from './options.ts';

/** `place`: where they are looked for. */
export function withSettings(command: Command, place = 'here'): Command {
  return command.option(
    '--settings <file>',
    `the settings; slipway.config.{yaml,yml,json,js,mjs,ts} ${place} when absent`,
  );
}

/** What every command that reads the config understands, so that a workflow can pass the same to all of them. */
export function withOptions(command: Command): Command {
  return withSettings(command.option('--config <file>', 'what to sync and build', DEFAULT_CONFIG), 'beside the config')
    .option(
      '--only <pattern>',
      'only entries whose id or destination matches this glob, and what they need; repeatable',
      collectPattern,
      [],
    )
    .option('--exclude <pattern>', 'leave matching entries out; repeatable', collectPattern, [])
    .option(
      '--to <prefix>',
      'send every destination below this prefix, or into layouts below oci:DIR, and never sign with the production key',
    )
    .option('--frozen', 'take sources and selected tags from slipway.lock.yaml, exactly, and look none up', false)
    .option('--json', 'print one JSON envelope on stdout', false)
    .addOption(
      new Option('--progress <how>', 'progress on stderr')
        .choices(['auto', 'tty', 'plain', 'json', 'quiet'])
        .default('auto'),
    )
    .option('--jobs <n>', 'tasks that keep a CPU busy at once', parseJobs)
    .addOption(
      new Option('--fail <when>', 'after a failure: skip only what needs it, start nothing new, or stop everything')
        .choices(['subgraph', 'fast', 'now'])
        .default('subgraph'),
    )
    .option('--timeout <duration>', 'end after this long, as 90s, 30m or 2h; 24d at most', parseTimeout);
}

export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

function collectPattern(value: string, before: readonly string[]): readonly string[] {
  return collect(parsePattern(value), before);
}

/** Some patterns of more characters make regular expressions that are too large for Node. */
const LONGEST_PATTERN = 4096;

export function parsePattern(text: string): string {
  if (text === '') throw new InvalidArgumentError('a pattern is not empty.');
  if (text.length > LONGEST_PATTERN)
    throw new InvalidArgumentError(`a pattern has ${LONGEST_PATTERN} characters at most.`);
  return text;
}

function parseJobs(text: string): number {
  const jobs = Number(text);
  if (!Number.isInteger(jobs) || jobs < 1 || jobs > 1024)
    throw new InvalidArgumentError('it is a whole number from 1 to 1024.');
  return jobs;
}

export function parseMax(text: string): number {
  const max = Number(text);
  if (!Number.isInteger(max) || max < 1 || max > 100_000)
    throw new InvalidArgumentError('it is a whole number from 1 to 100000.');
  return max;
}

/** Whole days that a timer can count, 2^31 ms: it ends at once when it is given more. */
const MAX_TIMEOUT = 24 * 86_400_000;

function parseTimeout(text: string): number {
  const duration = parseDuration(text);
  if (duration === undefined) throw new InvalidArgumentError('a duration is a number and s, m, h or d, as 30m.');
  if (duration > MAX_TIMEOUT) throw new InvalidArgumentError('it is 24d at most.');
  return duration;
}

export function example(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
