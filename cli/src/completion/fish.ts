/** https://fishshell.com/docs/current/completions.html */
import { pathOf, type Level } from './levels.ts';

export function fishScript(levels: readonly Level[]): string {
  return `# fish completion of slipway: slipway completion fish | source
function __slipway_at
  set -l at
  for word in (commandline -opc)[2..-1]
    switch "$at/$word"
      case ${levels
        .filter(({ path }) => path.length > 0)
        .map(({ path }) => pathOf(path))
        .join(' ')}
        set at "$at/$word"
    end
  end
  test "$at" = "$argv[1]"
end
${levels.flatMap(linesOf).join('')}`;
}

function linesOf({ path, commands, options, choices, open }: Level): readonly string[] {
  const here = `complete -c slipway -n "__slipway_at '${pathOf(path)}'"`;
  return [
    ...(open ? [] : [`${here} -f\n`]),
    ...commands.map(({ name, about }) => `${here} -a ${name} -d '${about}'\n`),
    ...(choices.length === 0 ? [] : [`${here} -a '${choices.join(' ')}'\n`]),
    ...options.map(({ name, about, takesValue, choices: values }) => {
      const value = !takesValue ? '' : values.length === 0 ? ' -r -F' : ` -x -a '${values.join(' ')}'`;
      return `${here} -l ${name.replace(/^--/, '')}${value} -d '${about}'\n`;
    }),
  ];
}
