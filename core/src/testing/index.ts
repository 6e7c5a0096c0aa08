/** For authors of plugins: the contract suite, and a task context with real tools. */
export { checks, type Check, type Subject } from './checks.ts';
export {
  comparable,
  compareCopies,
  compareSboms,
  compareScans,
  sbomPackages,
  type Comparable,
  type ComparedCase,
  type Implementation,
} from './compare.ts';
export { createTestContext, type ContextRequest, type TestContext, type TestWorld } from './context.ts';
export { seedImage, type SampleOptions } from './sample-images.ts';
export { seedPackages } from './sample-packages.ts';
export {
  startScriptedRegistry,
  type ScriptedOptions,
  type ScriptedRegistry,
  type ScriptedRequest,
} from './scripted-registry.ts';
export {
  contractSubject,
  contractSuite,
  modeSubject,
  modeSuite,
  type ContractCase,
  type ModeCase,
  type ModeInput,
  type Runner,
} from './suite.ts';
export { createTestWorld, modeInput, type ModeInputRequest, type TestWorldOptions } from './world.ts';
