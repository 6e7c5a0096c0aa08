/**
 * The chain's steps by name. A task's input is what the plan's references select from earlier outputs, so its shape is the
 * plan's to give and the step's to read: plan/chain.ts and the steps' input types belong together.
 */
import { fail, type Failure, type Result } from '../failure.ts';
import { stepOfTask } from '../plan/task-id.ts';
import type { ContractInput } from '../plugin/contract-api.ts';
import type { StepContext } from './engine.ts';
import { isOfKind, ofKind } from './of-kind.ts';
import { admitStep, type AdmitInput } from './steps/admit.ts';
import { attachStep, carryStep, type AttachInput, type CarryInput } from './steps/attach.ts';
import { buildStep, type BuildInput } from './steps/build.ts';
import { copyStep, type CopyInput } from './steps/copy.ts';
import { gateStep, type GateInput } from './steps/gate.ts';
import { probe, type ProbeInput } from './steps/probe.ts';
import { pushStep, type PushInput } from './steps/push.ts';
import { resolveStep, type ResolveInput } from './steps/resolve.ts';
import { sbomStep, scanStep, type SbomInput, type ScanInput } from './steps/scan.ts';
import {
  signBuildStep,
  signCopyStep,
  signScanStep,
  type SignBuildInput,
  type SignCopyInput,
  type SignInput,
} from './steps/sign.ts';
import { trySigningOf } from './steps/sign-one.ts';
import { tagStep, type TagInput } from './steps/tag.ts';
import { verifyStep, type VerifyInput } from './steps/verify.ts';

export function perform(step: StepContext, input: unknown): Promise<Result<unknown>> {
  const name = stepOfTask(step.task);
  switch (name) {
    case 'probe':
      return probe(step, input as ProbeInput);
    case 'resolve':
      return resolveStep(step, input as ResolveInput);
    case 'admit':
      return admitStep(ofKind(step, 'sync'), input as AdmitInput);
    case 'copy':
      return copyStep(ofKind(step, 'sync'), input as CopyInput);
    case 'build':
      return buildStep(ofKind(step, 'build'), input as BuildInput);
    case 'push':
      return pushStep(step, input as PushInput);
    case 'scan':
      return scanStep(step, input as ScanInput);
    case 'sbom':
      return sbomStep(step, input as SbomInput);
    case 'gate':
      return gateStep(step, input as GateInput);
    case 'sign':
      if (step.engine.purpose === 'scan') return signScanStep(step, input as SignInput);
      return isOfKind(step, 'build')
        ? signBuildStep(step, input as SignBuildInput)
        : signCopyStep(ofKind(step, 'sync'), input as SignCopyInput);
    case 'attach':
      return step.planned.retagOf === undefined
        ? attachStep(step, input as AttachInput)
        : carryStep(step, input as CarryInput);
    case 'verify':
      return verifyStep(step, input as VerifyInput);
    case 'tag':
      return tagStep(step, input as TagInput);
    case undefined:
      return packageStep(step, input as ContractInput<'package.build@1'>);
  }
}

async function packageStep(step: StepContext, input: ContractInput<'package.build@1'>): Promise<Result<unknown>> {
  const { engine, task, signal } = step;
  if (engine.host.owner('package.build@1') === undefined) return fail(noOwner('package.build@1'));
  const able = await trySigningOf(step);
  if (!able.ok) return able;
  await using context = await engine.context(task, 'package.build@1', signal);
  return await engine.host.call('package.build@1', input, context);
}

function noOwner(contract: string): Failure {
  return {
    reason: 'config',
    class: 'permanent',
    message: `no plugin implements ${contract}`,
    hint: 'list a plugin that does in the settings',
  };
}
