/** The command's process in a checkout; in a package it is `packed.ts`. */
import { registerHooks } from 'node:module';
import { start } from './start.ts';

// The whole process asks for sources, and so does a plugin from elsewhere that has the core as it was packed, without any.
registerHooks({
  resolve: (specifier, context, next) => {
    try {
      return next(specifier, context);
    } catch {
      const conditions = context.conditions.filter((condition) => condition !== 'slipway-source');
      return next(specifier, { ...context, conditions });
    }
  },
});

await start();
