/** https://www.gnu.org/software/bash/manual/html_node/Programmable-Completion.html */
import { pathOf, type Level } from './levels.ts';

export function bashScript(levels: readonly Level[]): string {
  return `# bash completion of slipway: source <(slipway completion bash)
_slipway() {
  local current=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} at= index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "$at/\${COMP_WORDS[index]}" in
${levels
  .filter(({ path }) => path.length > 0)
  .map(({ path }) => `      ${pathOf(path)}) at=${pathOf(path)} ;;\n`)
  .join('')}    esac
  done
  case "$at $before" in
${levels.flatMap(valueCases).join('')}  esac
  case "$at" in
${levels.map((level) => `    '${pathOf(level.path)}') COMPREPLY=($(compgen -W "${wordsOf(level).join(' ')}" -- "$current")) ;;\n`).join('')}  esac
}
complete -o default -F _slipway slipway
`;
}

function wordsOf({ commands, options, choices }: Level): readonly string[] {
  return [...commands.map(({ name }) => name), ...choices, ...options.map(({ name }) => name)];
}

/** After an option that takes a value come its choices, or files. */
function valueCases({ path, options }: Level): readonly string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map(({ name, choices }) => {
      const found = choices.length === 0 ? '-f' : `-W "${choices.join(' ')}"`;
      return `    '${pathOf(path)} ${name}') COMPREPLY=($(compgen ${found} -- "$current")); return ;;\n`;
    });
}
