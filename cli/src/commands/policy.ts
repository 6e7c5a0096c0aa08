/** `policy export`: the admission policies that match what these settings sign. */
import { configFailure, exportPolicy, type ExportKind } from '@slipway/core';
import { answer, EXIT, refuse } from '../answer.ts';
import type { Io } from '../io.ts';
import type { Options } from '../options.ts';
import { prepare } from '../prepare.ts';

const COMMAND = 'policy export';

export async function policyExportCommand(io: Io, kind: ExportKind, options: Options): Promise<number> {
  const prepared = await prepare(io, options, 'run');
  if (!prepared.ok) return refuse(io, options.json, COMMAND, prepared.failures);
  const { planned, signing } = prepared.value;
  if (signing === undefined) {
    const hint = 'set signing.key and signing.publicKey, or signing.keyless, in the settings';
    return refuse(io, options.json, COMMAND, [configFailure('nothing says who signs', hint)]);
  }
  const trusted = planned.plan.entries
    .filter(({ trust }) => trust === 'full')
    .flatMap(({ id }) => planned.entries.get(id) ?? []);
  const repositories = trusted.flatMap(({ targets }) => targets.map(({ destination }) => destination));
  if (repositories.length === 0) {
    return refuse(io, options.json, COMMAND, [
      configFailure('no entry is signed: all are copies (trust: copy)', 'a policy is for entries with trust: full'),
    ]);
  }
  const exported = exportPolicy(kind, { signing, repositories });
  if (!exported.ok) return refuse(io, options.json, COMMAND, [exported.failure]);
  const { files, documents, notes } = exported.value;
  for (const note of notes) io.stderr(`note: ${note}\n`);
  return answer(io, options.json, COMMAND, EXIT.done, { kind, files, documents, notes }, () =>
    files.map(({ path, content }) => (files.length === 1 ? content : `# ${path}\n${content}`)).join(''),
  );
}
