/** Commands that set a repository up, and those for who writes plugins. None of them publishes anything. */
import { Argument, Option, type Command } from 'commander';
import type { CompletionShell } from './commands/completion.ts';
import type { EmitOptions } from './commands/emit.ts';
import type { InitOptions } from './commands/init.ts';
import type { PluginDiffOptions } from './commands/plugin-diff.ts';
import type { PluginNewOptions } from './commands/plugin-new.ts';
import type { SchemaOptions } from './commands/schema.ts';
import type { Io } from './io.ts';
import { example, withOptions, withSettings } from './program-options.ts';

export function addSetupCommands(program: Command, io: Io, ended: (exitCode: number) => void): void {
  program
    .command('init')
    .description('write a repository to start from: config, settings, an image, and the workflows that run it')
    .argument('[folder]', 'where to', '.')
    .option('--json', 'print one JSON envelope', false)
    .addHelpText('after', example('slipway init', 'slipway init images-of-ours'))
    .action(async (folder: string, options: InitOptions) =>
      ended(await (await import('./commands/init.ts')).initCommand(io, folder, options)),
    );

  const emit = program.command('emit').description('files by which another engine runs the plan');
  emitOptions(emit.command('github'))
    .description('write the workflows that run the plan in GitHub Actions')
    .option('--dir <folder>', 'where to', '.github')
    .addHelpText(
      'after',
      example('slipway emit github', 'slipway emit github --check', 'slipway emit github --split --dir .github'),
    )
    .action(async (options: EmitOptions) =>
      ended(await (await import('./commands/emit.ts')).emitCommand(io, options, 'github')),
    );
  // Plugins bring others: which, is known when they are loaded.
  emitOptions(emit.command('FORMAT', { hidden: true, isDefault: true }))
    .description('write what a plugin emits for another engine')
    .argument('<format>', 'as a plugin names it that implements plan.emit')
    .option('--dir <folder>', 'where to; the format with a dot before it when absent')
    .action(async (format: string, options: EmitOptions) =>
      ended(await (await import('./commands/emit.ts')).emitCommand(io, options, format)),
    );

  program
    .command('completion')
    .description('print the completion of the command for a shell')
    .addArgument(new Argument('<shell>', 'whose').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', example('source <(slipway completion bash)', 'slipway completion fish | source'))
    .action(async (shell: CompletionShell) =>
      ended((await import('./commands/completion.ts')).completionCommand(io, program, shell)),
    );

  program
    .command('tools')
    .description('the external tools that the plugins use')
    .command('install')
    .description('build the tools that are missing from their pinned sources; needs Go')
    .argument('[names...]', 'only these; every tool that a default plugin needs when absent')
    .option('--json', 'print one JSON envelope', false)
    .addHelpText('after', example('slipway tools install', 'slipway tools install crane trivy'))
    .action(async (names: readonly string[], options: { readonly json: boolean }) =>
      ended(await (await import('./commands/tools.ts')).toolsInstallCommand(io, names, options)),
    );

  const plugin = program.command('plugin').description('what authors of plugins, and those who swap them, need');

  plugin
    .command('new')
    .description('write a package with a build mode that works, to make your own')
    .argument('<name>', 'build-NAME, perhaps with a scope')
    .option('--dir <folder>', 'the folder to make; one of that name here when absent')
    .option('--json', 'print one JSON envelope', false)
    .addHelpText(
      'after',
      example('slipway plugin new build-greet', 'slipway plugin new @team/build-greet --dir plugins/greet'),
    )
    .action(async (name: string, options: PluginNewOptions) =>
      ended(await (await import('./commands/plugin-new.ts')).pluginNewCommand(io, name, options)),
    );

  withSettings(plugin.command('diff'))
    .description('ask two plugins the same on throw-away registries, and print in what their results differ')
    .argument('<a>', 'a plugin: its name, its package, or a path that starts with ./')
    .argument('<b>', 'the other one')
    .option('--contract <name>', 'as image.copy@1; the one that both implement when absent')
    .option('--image <reference>', 'what is scanned or listed; a small sample when absent')
    .option('--json', 'print one JSON envelope', false)
    .addHelpText(
      'after',
      example(
        'slipway plugin diff sync-registry sync-skopeo',
        'slipway plugin diff scan-trivy sbom-syft --image ghcr.io/example/alpine:3.20',
      ),
    )
    .action(async (a: string, b: string, options: PluginDiffOptions) =>
      ended(await (await import('./commands/plugin-diff.ts')).pluginDiffCommand(io, [a, b], options)),
    );

  withSettings(program.command('schema'))
    .description('print a JSON Schema, with what the plugins add')
    .addOption(
      new Option('--of <what>', 'which')
        .choices(['config', 'settings', 'lock', 'envelope', 'events', 'report'])
        .default('config'),
    )
    .addHelpText('after', example('slipway schema > docs/config.schema.json', 'slipway schema --of envelope'))
    .action(async (options: SchemaOptions) =>
      ended(await (await import('./commands/schema.ts')).schemaCommand(io, options)),
    );
}

function emitOptions(command: Command): Command {
  return withOptions(command)
    .option('--check', 'write nothing; exit 1 when they are not what the config says', false)
    .option('--split', 'a job for each entry, with the edges of the plan, in place of one for all', false);
}
