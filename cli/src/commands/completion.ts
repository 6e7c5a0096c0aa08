/** `completion`: scripts for shells, made of the command line itself, so that they know what it knows. */
import type { Command } from 'commander';
import { EXIT } from '../answer.ts';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { levelsOf } from '../completion/levels.ts';
import { zshScript } from '../completion/zsh.ts';
import type { Io } from '../io.ts';

export type CompletionShell = 'bash' | 'zsh' | 'fish';

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript } as const;

export function completionCommand(io: Io, program: Command, shell: CompletionShell): number {
  io.stdout(scripts[shell](levelsOf(program)));
  return EXIT.done;
}
