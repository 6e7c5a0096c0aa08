/**
 * The command line: names, options, help. Each action returns an exit code; nothing else happens here. A command is loaded
 * when it is called, since most of them need more than half of the engine.
 */
import { Argument, Command, Help, Option, type HelpConfiguration } from 'commander';
import { configFailure, exportKinds, importKinds, type ExportKind, type Failure, type ImportKind } from '@slipway/core';
import type { RunOptions } from './commands/run.ts';
import type { ReportOptions } from './commands/report.ts';
import type { CheckOptions } from './commands/check.ts';
import type { DiffOptions } from './commands/diff.ts';
import type { ImportOptions } from './commands/import.ts';
import type { PruneOptions } from './commands/prune.ts';
import type { RollbackOptions } from './commands/rollback.ts';
import type { ShowOptions } from './commands/show.ts';
import type { UpdateOptions } from './commands/update.ts';
import type { VerifyOptions } from './commands/verify.ts';
import type { WhyOptions } from './commands/why.ts';
import type { PlanOptions } from './commands/plan.ts';
import type { Io } from './io.ts';
import type { Options } from './options.ts';
import { forActions } from './actions.ts';
import { collect, example, parseMax, parsePattern, withOptions, withSettings } from './program-options.ts';
import { addSetupCommands } from './program-setup.ts';
import { EXIT, refusal } from './answer.ts';
import { VERSION } from './version.ts';

const EXIT_CODES = `
Exit codes: 0 done · 1 a task failed, or verify found something missing ·
            2 config or usage · 3 the gate refused an image ·
            5 a tool is missing · 130 interrupted`;

/** What says nothing is left out: with it no description is wrapped on a terminal of 80 columns. */
const HELP: HelpConfiguration = {
  subcommandTerm: (command) => `${command.name()} ${command.usage()}`.replace(' [options]', '').trimEnd(),
  optionDescription: (option) => new Help().optionDescription(option).replace(/ \(default: (?:false|\[\])\)$/, ''),
};

/** Runs one command line; the exit code is the result. Throws what is a bug, as `starved` does once the command can no longer end. */
export async function runProgram(world: Io, args: readonly string[], starved?: Promise<never>): Promise<number> {
  let answered = false;
  const stdout = (text: string): void => {
    answered = true;
    world.stdout(text);
  };
  const io = forActions({ ...world, stdout });
  let exitCode: number = EXIT.done;
  const program = buildProgram(io, (code) => (exitCode = code));
  /** What is wrong is told on stderr; a program that asked for JSON, and has no answer, finds it on stdout as well. */
  const answerFor = (failure: Failure): void => {
    if (args.includes('--json') && !answered) io.stdout(refusal(commandOf(program, args), [failure]));
  };
  try {
    await Promise.race([program.parseAsync([...args], { from: 'user' }), ...(starved === undefined ? [] : [starved])]);
    return exitCode;
  } catch (error) {
    if (!isCommanderExit(error)) {
      answerFor(bug(error));
      throw error;
    }
    if (error.exitCode === 0) return EXIT.done;
    const misplaced = optionBefore(program, args);
    if (misplaced !== undefined) io.stderr(`(${misplaced})\n`);
    answerFor(configFailure(complaintOf(error)));
    return EXIT.usage;
  }
}

function bug(error: unknown): Failure {
  return {
    reason: 'tool',
    class: 'permanent',
    tool: 'slipway',
    message: `this is a bug: ${error instanceof Error ? error.message : String(error)}`,
    hint: 'set SLIPWAY_DEBUG=1 and run it again for the details to report',
  };
}

/** As `plan` or `tools install`; `slipway` when there is no such command. */
function commandOf(program: Command, [name, next]: readonly string[]): string {
  const command = program.commands.find((one) => one.name() === name);
  const sub = command?.commands.find((one) => one.name() === next);
  return [command?.name() ?? 'slipway', ...(sub === undefined ? [] : [sub.name()])].join(' ');
}

/** Elsewhere options may stand before the command, so that people write them there; the parser only says that it knows none. */
function optionBefore(program: Command, args: readonly string[]): string | undefined {
  const name =
    args[0]?.startsWith('-') === true && args.find((arg) => program.commands.some((one) => one.name() === arg));
  return name ? `options stand after the command, as slipway ${name} ${args[0]} …` : undefined;
}

/** One line, without the parser's own prefix. */
function complaintOf({ message }: Error): string {
  const line = message
    .replace(/^error: /, '')
    .replaceAll('\n', ' ')
    .trim();
  return line === '' || line.startsWith('(outputHelp)') ? 'no command is given' : line;
}

function buildProgram(io: Io, ended: (exitCode: number) => void): Command {
  const program = new Command('slipway')
    .description(
      'Syncs and builds container images from one config.yaml, and tags none before it is scanned, judged, signed and verified.',
    )
    .version(VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .showSuggestionAfterError(true)
    .showHelpAfterError('(add --help for more)')
    .exitOverride()
    .configureHelp(HELP)
    .configureOutput({ writeOut: io.stdout, writeErr: io.stderr })
    .addHelpText('after', EXIT_CODES);

  withOptions(program.command('plan'))
    .description('show what would be done, and in which order; asks nobody')
    .addOption(
      new Option('--format <format>', 'how the graph is drawn').choices(['text', 'mermaid', 'dot']).default('text'),
    )
    .option('--resolve', 'ask the registries, and say why each entry would run', false)
    .addOption(
      new Option('--against <what>', 'only what the registry does not hold as a run leaves it').choices(['registry']),
    )
    .addHelpText('after', example('slipway plan --format mermaid', 'slipway plan --only "build:*" --resolve'))
    .action(async (options: PlanOptions) => ended(await (await import('./commands/plan.ts')).planCommand(io, options)));

  const runs = {
    run: 'do everything that is not done',
    sync: 'the same for the sync entries, and what they need',
    build: 'the same for the build entries, and what they need',
    scan: 'scan every published destination again and attach the result; no tag moves',
  } as const;
  for (const name of ['run', 'sync', 'build', 'scan'] as const) {
    withOptions(program.command(name))
      .description(runs[name])
      .addHelpText(
        'after',
        example(
          `slipway ${name}`,
          `slipway ${name} --only "*/alpine:*" --json`,
          `slipway ${name} --to localhost:5000/scratch`,
          `slipway ${name} --to oci:./out`,
        ),
      )
      .addOption(
        new Option('--against <what>', 'only what the registry does not hold as a run leaves it').choices(['registry']),
      )
      .option('--report <folder>', 'also write a report of the run there: an HTML page, its data, and a trace')
      .option('--sarif <folder>', 'also write what the scans found there, as SARIF: a run for each image and platform')
      .action(async (options: RunOptions) =>
        ended(await (await import('./commands/run.ts')).runCommand(io, options, name)),
      );
  }

  withOptions(program.command('diff'))
    .description('what a sync would change, and what it would cost; changes nothing anywhere')
    .option('--no-cost', 'compare digests alone, and read no manifest')
    .option('--exit-code', 'exit 1 when something differs', false)
    .addHelpText(
      'after',
      example('slipway diff', 'slipway diff --only "*/alpine:*" --json', 'slipway diff --no-cost --exit-code'),
    )
    .action(async (options: DiffOptions) => ended(await (await import('./commands/diff.ts')).diffCommand(io, options)));

  withOptions(program.command('update'))
    .description('look up what the sources name now, and write it into slipway.lock.yaml and into pinned entries')
    .option('--check', 'write nothing; exit 1 when something would change', false)
    .addHelpText('after', example('slipway update', 'slipway update --check', 'slipway update --only "*/alpine:*"'))
    .action(async (options: UpdateOptions) =>
      ended(await (await import('./commands/update.ts')).updateCommand(io, options)),
    );

  withOptions(program.command('verify'))
    .description('check each destination as a consumer would, and list what is missing')
    .option('--deep', "also each platform's own SBOM and scan", false)
    .addHelpText('after', example('slipway verify', 'slipway verify --deep --only "ghcr.io/example/*" --json'))
    .action(async (options: VerifyOptions) =>
      ended(await (await import('./commands/verify.ts')).verifyCommand(io, options)),
    );

  withOptions(program.command('why'))
    .description('say why entries ran, or would run now, and which images have a vulnerability')
    .argument('[pattern]', 'a glob on entry id or destination', parsePattern, '*')
    .option('--resolve', 'ask the registries why they would run now, and what would follow', false)
    .option('--cve <id>', 'which images have this vulnerability, by the newest scan in the journals')
    .addHelpText(
      'after',
      example(
        'slipway why ghcr.io/example/alpine:3.20',
        'slipway why "build:*" --resolve',
        'slipway why --cve CVE-2026-1234',
      ),
    )
    .action(async (pattern: string, options: WhyOptions) =>
      ended(await (await import('./commands/why.ts')).whyCommand(io, pattern, options)),
    );

  program
    .command('report')
    .description(
      'write a report of a run from its journal: an HTML page that needs nothing else, its data, and a trace',
    )
    .argument('<journal>', 'as .slipway/runs/20261125-203000-1a2b3c.ndjson; journals beside it are read too')
    .option('--dir <folder>', 'where to', 'report')
    .option('--json', 'print one JSON envelope', false)
    .addHelpText('after', example('slipway report .slipway/runs/20261125-203000-1a2b3c.ndjson --dir public'))
    .action(async (file: string, options: ReportOptions) =>
      ended((await import('./commands/report.ts')).reportCommand(io, file, options)),
    );

  withOptions(program.command('rollback'))
    .description('put tags back to what they named before, if that image is there and verifies')
    .argument('<run-or-reference>', 'a run, as its journal is named, or one tag, as ghcr.io/org/image:tag')
    .option('--unverified', 'also to an image that does not verify; this is recorded', false)
    .addHelpText(
      'after',
      example('slipway rollback 20261125-203000-1a2b3c', 'slipway rollback ghcr.io/example/alpine:3.20'),
    )
    .action(async (what: string, options: RollbackOptions) =>
      ended(await (await import('./commands/rollback.ts')).rollbackCommand(io, what, options)),
    );

  withOptions(program.command('prune'))
    .description('list tags that this config once made and names no longer; with --delete, delete them')
    .option('--delete', 'delete them: the tags only, never an image by its digest', false)
    .option('--max <n>', 'so many may go; 10, and no more than half of a repository, when absent', parseMax)
    .option('--templated', 'also tags that a template with {date} or {sha} could have made', false)
    .addHelpText('after', example('slipway prune', 'slipway prune --delete --max 25 --only "ghcr.io/example/*"'))
    .action(async (options: PruneOptions) =>
      ended(await (await import('./commands/prune.ts')).pruneCommand(io, options)),
    );

  withOptions(program.command('check'))
    .description('check the config and what it publishes by rules; see docs/check.md')
    .option('--offline', 'only rules that ask nobody', false)
    .addOption(
      new Option('--format <format>', 'how findings are printed').choices(['table', 'json', 'sarif']).default('table'),
    )
    .addHelpText('after', example('slipway check --offline', 'slipway check --format sarif > check.sarif'))
    .action(async (options: CheckOptions) =>
      ended(await (await import('./commands/check.ts')).checkCommand(io, options)),
    );

  withSettings(program.command('show'))
    .description('digest, platforms, and the tree of what is attached to an image')
    .argument('<reference>', 'as ghcr.io/org/image:tag, or oci:./folder:tag')
    .option('--sbom', 'print the outline of the attested SBOM', false)
    .option('--platform <os/arch>', 'whose SBOM; the list of platforms when absent')
    .option('--scratch', 'judge signatures by signing.scratch', false)
    .option('--json', 'print one JSON envelope', false)
    .addHelpText(
      'after',
      example(
        'slipway show ghcr.io/example/alpine:3.20',
        'slipway show ghcr.io/example/alpine:3.20 --sbom --platform linux/arm64',
        'slipway show oci:./mirror/alpine:3.20',
      ),
    )
    .action(async (reference: string, options: ShowOptions) =>
      ended(await (await import('./commands/show.ts')).showCommand(io, reference, options)),
    );

  withOptions(program.command('doctor'))
    .description('check tools, registries, credentials and the signing identity, and say how to mend each')
    .addHelpText('after', example('slipway doctor', 'slipway doctor --to localhost:5000/scratch'))
    .action(async (options: Options) => ended(await (await import('./commands/doctor.ts')).doctorCommand(io, options)));

  withOptions(program.command('policy').description('policies for those who run the images').command('export'))
    .description('print the admission policy that matches what these settings sign')
    .addArgument(new Argument('<consumer>', 'who reads it').choices(exportKinds))
    .addHelpText('after', example('slipway policy export kyverno', 'slipway policy export containers --json'))
    .action(async (kind: ExportKind, options: Options) =>
      ended(await (await import('./commands/policy.ts')).policyExportCommand(io, kind, options)),
    );

  program
    .command('import')
    .description(
      'print the config.yaml that does what the config of another tool says, and name what has no equivalent',
    )
    .addArgument(new Argument('<tool>', 'whose it is').choices(importKinds))
    .argument('<files...>', 'what "skopeo sync --src yaml" or regsync reads; of skopeo several are one config')
    .option('--destination <prefix>', 'where images go: the last argument of skopeo sync; regsync has its own targets')
    .option('--scoped', 'of skopeo: keep the whole name of the source below the destination', false)
    .option('--append-suffix <suffix>', 'of skopeo: what is added to each tag')
    .option('--platform <os/arch>', 'of skopeo, whose file names none: only this one; repeatable', collect, [])
    .option('--strict', 'exit 1 when something has no equivalent', false)
    .option('--json', 'print one JSON envelope', false)
    .addHelpText(
      'after',
      example(
        'slipway import skopeo sync.yml --destination ghcr.io/example/mirror > config.yaml',
        'slipway import regsync regsync.yml --strict --json',
      ),
    )
    .action(async (kind: ImportKind, files: string[], options: ImportOptions) =>
      ended(await (await import('./commands/import.ts')).importCommand(io, kind, files, options)),
    );

  addSetupCommands(program, io, ended);
  return program;
}

/** Commander ends by throwing: help and version with 0, a wrong command line with 1. */
function isCommanderExit(error: unknown): error is Error & { readonly exitCode: number } {
  return (
    error instanceof Error &&
    'exitCode' in error &&
    typeof error.exitCode === 'number' &&
    'code' in error &&
    String(error.code).startsWith('commander.')
  );
}
