/** The command line as completion needs it: what may follow each command. */
import type { Command } from 'commander';

export interface Level {
  /** Words after `slipway`, as `tools install`; empty at the top. */
  readonly path: readonly string[];
  readonly commands: readonly Word[];
  readonly options: readonly OptionWord[];
  /** What the first argument may be, where that is a list. */
  readonly choices: readonly string[];
  /** Arguments that may be anything, as files. */
  readonly open: boolean;
}

export interface Word {
  readonly name: string;
  readonly about: string;
}

export interface OptionWord extends Word {
  readonly takesValue: boolean;
  /** Empty where the value may be anything. */
  readonly choices: readonly string[];
}

/** Every command that help shows, those that have commands below them too. Texts come from our own help; anything else is a bug. */
export function levelsOf(program: Command, path: readonly string[] = []): readonly Level[] {
  const visible = program.createHelp().visibleCommands(program);
  const commands = program.commands.filter((command) => visible.includes(command));
  const [first] = program.registeredArguments;
  const level: Level = {
    path,
    commands: commands.map((command) => word(command.name(), command.description())),
    options: [
      ...program.options.map((option) => ({
        ...word(option.long ?? option.flags, option.description),
        takesValue: option.required || option.optional,
        choices: (option.argChoices ?? []).map(safe),
      })),
      { ...word('--help', 'print this help'), takesValue: false, choices: [] },
    ],
    choices: (first?.argChoices ?? []).map(safe),
    open: first !== undefined && first.argChoices === undefined,
  };
  return [level, ...commands.flatMap((command) => levelsOf(command, [...path, command.name()]))];
}

/** A level's path as one word, as `/tools/install`; empty at the top. */
export function pathOf(path: readonly string[]): string {
  return path.map((name) => `/${name}`).join('');
}

function word(name: string, about: string): Word {
  return { name: safe(name), about: about.replaceAll(/[^A-Za-z0-9 ,.;/=()-]/g, ' ').replaceAll(/ +/g, ' ') };
}

/** Nothing that a shell could take for its own. */
function safe(text: string): string {
  if (!/^[A-Za-z0-9-]+$/.test(text)) throw new Error(`${text} cannot stand in a script for a shell`);
  return text;
}
