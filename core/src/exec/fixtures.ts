import { readFileSync } from 'node:fs';

/** Those that start programs for a process (`starter.ts`): none before it has started any, then one, or two where many follow one another. */
export function startersOf(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return children.filter((child) => commandOf(child).startsWith('slipway-starter')).map(Number);
}

/** Empty when it has ended meanwhile. */
function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
