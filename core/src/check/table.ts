/** The findings for people. Pure: data in, text out. */
import { relativePosition } from '../config/format.ts';
import { noPaint, type Paint } from '../report/table.ts';
import { clean } from '../report/wording.ts';
import type { CheckFinding } from './model.ts';

/** `offline`: rules that ask a registry were left out, which is said. */
export function formatFindings(
  findings: readonly CheckFinding[],
  folder: string,
  options: { readonly offline: boolean; readonly paint?: Paint },
): string {
  const { paint = noPaint } = options;
  const lines = findings.flatMap(({ rule, severity, entry, message, hint, at, waived }) => {
    const word = waived === undefined ? severity : 'waived';
    const state = waived !== undefined ? 'skipped' : severity === 'error' ? 'failed' : 'warning';
    const note = waived === undefined ? hint : `waived: ${waived}`;
    return [
      `${paint(state, word.padEnd(7))}  ${relativePosition(at, folder)}  ${rule}  ${clean(`${entry}: ${message}`)}`,
      ...(note === undefined ? [] : [`         → ${clean(note)}`]),
    ];
  });
  const count = (word: CheckFinding['severity']): string => {
    const found = findings.filter(({ severity, waived }) => severity === word && waived === undefined).length;
    return `${found} ${word}${found === 1 ? '' : 's'}`;
  };
  const waived = findings.filter((finding) => finding.waived !== undefined).length;
  const skipped = options.offline ? '; rules that ask a registry were left out' : '';
  const total = `${count('error')}, ${count('warning')}, ${waived} waived${skipped}`;
  return `${[...lines, total].join('\n')}\n`;
}
