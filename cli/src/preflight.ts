/** What stands in the way of a plan on this machine: tools, identities, and what plugins miss. Nothing is started. */
import { statSync } from 'node:fs';
import { configFailure, variableIn, type Failure, type Position, type Signing, type ToolNeed } from '@slipway/core';
import type { Io } from './io.ts';
import type { Options } from './options.ts';
import type { Prepared } from './prepare.ts';

/** What must hold before anything runs: an identity to sign with, and every tool that the plan may need. */
export async function preflight(io: Io, prepared: Prepared, options: Pick<Options, 'to'>): Promise<readonly Failure[]> {
  const failures: Failure[] = [...whyNotSigned(io, prepared, options)];
  for (const need of toolNeeds(prepared)) {
    const found = await prepared.finder.find(need);
    if (!found.ok) failures.push(found.failure);
  }
  return [...failures, ...(await lackingHere(io, prepared))];
}

/** What keeps this machine from signing what the plan signs. */
export function whyNotSigned(io: Io, prepared: Prepared, { to }: Pick<Options, 'to'>): readonly Failure[] {
  const contracts = contractsOf(prepared);
  const legacy = contracts.has(LEGACY);
  return [
    ...(legacy || contracts.has('statement.sign@1') ? whyNoIdentity(io, prepared.signing, to) : []),
    ...(legacy && prepared.host.owner(LEGACY) === undefined ? [noLegacySigner] : []),
  ];
}

/** Every tool that a plugin which has something to do here declares. */
export function toolNeeds(prepared: Prepared): readonly ToolNeed[] {
  const needs = [...contractsOf(prepared)].flatMap((contract) => prepared.host.toolNeeds(contract));
  return [...new Map(needs.map((need) => [`${need.name} ${need.range}`, need])).values()];
}

const LEGACY = 'payload.sign@1';

/** The steps that attach sign too where the legacy format is asked for; the plan is the same for every format. */
function contractsOf({ planned, signing }: Prepared): ReadonlySet<string> {
  const contracts = new Set<string>(planned.plan.tasks.map(({ contract }) => contract));
  const format = signing?.format ?? 'bundle';
  return format === 'bundle' || !contracts.has('core.attach@1') ? contracts : contracts.add(LEGACY);
}

/** Looking at what is published takes somebody whose signatures count; of a mirror it is looked at whether its tags are there. */
export function whyNobodyCounts({ signing, planned }: Prepared): Failure | undefined {
  if (signing !== undefined || planned.plan.entries.every(({ trust }) => trust === 'copy')) return undefined;
  return configFailure(
    'nothing says whose signatures count',
    'set signing.key and signing.publicKey, or signing.keyless, in the settings (signing.scratch for --to)',
  );
}

const noLegacySigner = configFailure(
  'signing.format asks for legacy signatures, and no plugin implements payload.sign@1',
  'list a signer that does, as sign-cosign, or set signing.format: bundle',
);

/** What plugins say this machine lacks for the plan, as an emulator for a foreign architecture. */
export function lackingHere(io: Io, { config, planned, host }: Prepared): Promise<readonly Failure[]> {
  const { plan, entries } = planned;
  const at = (entry: string): Position | undefined => entries.get(entry)?.at;
  return host.preflight({ tasks: plan.tasks, at, root: config.folder, env: io.env });
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

/** Never a browser: without a key there must be a token that is there already. */
function whyNoIdentity({ env }: Io, signing: Signing | undefined, to: string | undefined): readonly Failure[] {
  if (signing === undefined) {
    if (to !== undefined) return [];
    return [
      configFailure(
        'nothing says who signs',
        'set signing.key and signing.publicKey, or signing.keyless, in slipway.config.yaml; --to PREFIX tries a run without signing',
      ),
    ];
  }
  const variable = variableIn(signing.key);
  if (variable !== undefined && !env[variable]) {
    const message = `signing.key names ${signing.key}, and that variable is empty`;
    return [configFailure(message, 'export it, or name a key file', signing.keyAt)];
  }
  if (signing.key !== undefined) {
    if (signing.key.includes('://') || isFile(signing.key)) return [];
    return [
      configFailure(
        `the key file ${signing.key} is not there`,
        'make it with: cosign generate-key-pair',
        signing.keyAt,
      ),
    ];
  }
  const tokens = [signing.identityTokenEnv, 'SIGSTORE_ID_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'];
  if (tokens.some((name) => name !== undefined && env[name])) return [];
  return [
    configFailure(
      'there is no key and no ambient identity to sign with',
      'in GitHub Actions give the job id-token: write; elsewhere set SIGSTORE_ID_TOKEN, or signing.key in the settings',
    ),
  ];
}
