/** Files that commands leave where they are told, or by default in the checkout. */
import { lstatSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { makeFolder } from '@slipway/core';

/** Makes its folder too. A link in its place is replaced, never followed: it may have come with the checkout, and lead to a file of the user's. */
export function writeHere(file: string, content: string): void {
  makeFolder(dirname(file));
  if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true) rmSync(file);
  writeFileSync(file, content);
}
