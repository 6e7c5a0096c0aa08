/** What plugins and the command may use; everything else is the core's own. */
export type * from './config/model.ts';
export type * from './exec/model.ts';
export * from './failure.ts';
export * from './oci/model.ts';
export type * from './plugin/api.ts';
export { implement } from './plugin/hooks.ts';
export * from './reference.ts';
export { parseBundle, verifyKeyBundle } from './trust/bundle.ts';
export * from './trust/model.ts';
export { parseStatement } from './trust/statement.ts';
