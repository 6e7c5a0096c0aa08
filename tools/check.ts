/** `npm run check`: everything that is quick to prove. */
import { runChecks, staticChecks, unitTests } from './checks.ts';

const { failed } = await runChecks([unitTests, ...staticChecks]);
process.exitCode = failed === 0 ? 0 : 1;
