/** https://zsh.sourceforge.io/Doc/Release/Completion-System.html */
import { pathOf, type Level } from './levels.ts';

export function zshScript(levels: readonly Level[]): string {
  return `#compdef slipway
# zsh completion of slipway: slipway completion zsh > a folder of $fpath/_slipway
_slipway() {
  local at= index
  local -a found
  for ((index = 2; index < CURRENT; index++)); do
    case "$at/\${words[index]}" in
${levels
  .filter(({ path }) => path.length > 0)
  .map(({ path }) => `      (${pathOf(path)}) at=${pathOf(path)} ;;\n`)
  .join('')}    esac
  done
  case "$at \${words[CURRENT - 1]}" in
${levels.flatMap(valueCases).join('')}  esac
  case "$at" in
${levels.map((level) => `    ('${pathOf(level.path)}')\n      found=(\n${describedOf(level).join('')}      )\n${level.open ? '      _files\n' : ''}      ;;\n`).join('')}  esac
  _describe slipway found
}
if [ "$funcstack[1]" = _slipway ]; then _slipway "$@"; else compdef _slipway slipway; fi
`;
}

function describedOf({ commands, options, choices }: Level): readonly string[] {
  const words = [...commands, ...choices.map((name) => ({ name, about: '' })), ...options];
  return words.map(({ name, about }) => `        '${name}:${about}'\n`);
}

function valueCases({ path, options }: Level): readonly string[] {
  return options
    .filter(({ takesValue }) => takesValue)
    .map(({ name, choices }) => {
      const found = choices.length === 0 ? '_files' : `compadd -- ${choices.join(' ')}`;
      return `    ('${pathOf(path)} ${name}') ${found}; return ;;\n`;
    });
}
