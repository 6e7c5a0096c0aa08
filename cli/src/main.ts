/** The command's process in a checkout; in a package it is `packed.ts`. */
import { start } from './start.ts';

await start();
