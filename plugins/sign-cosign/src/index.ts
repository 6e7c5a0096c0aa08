/** Signs statements with cosign, and verifies bundles that were signed by an identity. */
import { implement, type Plugin } from '@slipway/core';
import { inheritedVariables } from './environment.ts';
import { verifyImage } from './image.ts';
import { signPayload, verifyPayload } from './payload.ts';
import { signStatement } from './sign.ts';
import { verifyBundle } from './verify.ts';

const name = 'sign-cosign';

const plugin: Plugin = {
  name,
  version: '0.1.0',
  api: '1.1',
  options: { type: 'object', additionalProperties: false, properties: {} },
  needs: { tools: [{ name: 'cosign', range: '>=3.0 <4' }], env: inheritedVariables },
  apply(hooks) {
    implement(hooks, 'statement.sign@1', name, signStatement);
    implement(hooks, 'bundle.verify@1', name, verifyBundle);
    implement(hooks, 'payload.sign@1', name, signPayload);
    implement(hooks, 'payload.verify@1', name, verifyPayload);
    implement(hooks, 'image.verify@1', name, verifyImage);
  },
};

export default plugin;
