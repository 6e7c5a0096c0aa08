/** The first line of a failure, the same wherever it is shown: whose side failed, what happened, whether a retry helps. */
import type { Failure } from '../failure.ts';

/** Of the config, only the message: its position says whose side it is. Not yet safe for a terminal. */
export function headline(failure: Failure): string {
  const side = sideOf(failure);
  const again = failure.class === 'transient' ? ' (trying again can help)' : '';
  return `${side === undefined ? '' : `${side}: `}${failure.message}${again}`;
}

/** Absent where the message says it itself. */
function sideOf(failure: Failure): string | undefined {
  switch (failure.reason) {
    case 'registry':
      return withName(`${failure.side} registry`, failure.host, failure.message);
    case 'tool':
    case 'missing-tool':
      return withName('tool', failure.tool, failure.message);
    case 'plugin':
      return failure.message.startsWith('plugin ') ? undefined : withName('plugin', failure.plugin, failure.message);
    case 'trust':
      return failure.side ?? 'trust';
    case 'config':
    case 'policy':
    case 'need':
    case 'wait':
    case 'cancelled':
      return undefined;
  }
}

/** Most messages name the thing themselves; twice is noise. */
function withName(kind: string, name: string, message: string): string {
  return message.includes(name) ? kind : `${kind} ${name}`;
}
