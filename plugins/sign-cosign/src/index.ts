/** Signs statements with cosign, and verifies bundles that were signed by an identity. */
import { implement, type Plugin } from '@slipway/core';
import { inheritedVariables } from './environment.ts';
import { signStatement } from './sign.ts';

const name = 'sign-cosign';

const plugin: Plugin = {
  name,
  version: '0.1.0',
  api: '1.1',
  options: { type: 'object', additionalProperties: false, properties: {} },
  needs: { tools: [{ name: 'cosign', range: '>=3.0 <4' }], env: inheritedVariables },
  apply(hooks) {
    implement(hooks, 'statement.sign@1', name, signStatement);
    // Loaded when they are asked for: few runs verify an identity, and that takes a large library.
    implement(hooks, 'bundle.verify@1', name, async (...asked) => (await import('./verify.ts')).verifyBundle(...asked));
    implement(hooks, 'payload.sign@1', name, async (...asked) => (await import('./payload.ts')).signPayload(...asked));
    implement(hooks, 'payload.verify@1', name, async (...asked) =>
      (await import('./payload.ts')).verifyPayload(...asked),
    );
    implement(hooks, 'image.verify@1', name, async (...asked) => (await import('./image.ts')).verifyImage(...asked));
  },
};

export default plugin;
