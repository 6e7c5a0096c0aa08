/** Colour for people: only on a terminal, never the only carrier of a meaning. */
import { styleText } from 'node:util';
import type { Paint, State } from '@slipway/core';
import type { Io } from './io.ts';

const STYLES: Readonly<Record<State, Parameters<typeof styleText>[0]>> = {
  published: 'green',
  ok: 'green',
  unchanged: 'dim',
  skipped: 'yellow',
  warning: 'yellow',
  run: 'cyan',
  refused: 'red',
  failed: 'red',
  cancelled: 'yellow',
};

/** `text` in the colour of a state, as it is without a terminal. */
export function painter({ color }: Io): Paint {
  return (state, text) => (color ? styleText(STYLES[state], text, { validateStream: false }) : text);
}
