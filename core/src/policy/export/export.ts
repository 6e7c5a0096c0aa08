/** Admission policies for what a config's settings sign: one pure function for each consumer. */
import { exportContainers } from './containers.ts';
import { exportKyverno } from './kyverno.ts';
import type { ExportInput, ExportKind, ExportResult } from './model.ts';
import { exportPolicyController } from './policy-controller.ts';

const exporters: Readonly<Record<ExportKind, (input: ExportInput) => ExportResult>> = {
  kyverno: exportKyverno,
  'policy-controller': exportPolicyController,
  containers: exportContainers,
};

/** A `config` failure where the consumer cannot verify what these settings sign: such a policy would verify nothing. */
export function exportPolicy(kind: ExportKind, input: ExportInput): ExportResult {
  return exporters[kind](input);
}
