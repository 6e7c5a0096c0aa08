/** What plugins and the command may use; everything else is the core's own. */
export * from './failure.ts';
export * from './reference.ts';
