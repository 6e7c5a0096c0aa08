/**
 * Skopeo reads much of the machine's configuration: a policy that may refuse images, registries that stand for others,
 * places where signatures are looked up. The same config.yaml must do the same on every machine, so it gets its own.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface OwnSettings {
  /** Go before the subcommand. */
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Who is trusted is decided by the gate and by `signing.accept`, after the copy and for every tool alike. A policy file says
 * that in words that cannot be mistaken, and is there where the machine has no /etc/containers/policy.json, without which
 * skopeo does nothing at all.
 * https://github.com/containers/image/blob/main/docs/containers-policy.json.5.md
 */
const POLICY = { default: [{ type: 'insecureAcceptAnything' }] };

/** Writes the settings below `folder`, which is the task's own. */
export async function ownSettings(folder: string): Promise<OwnSettings> {
  const home = join(folder, 'skopeo');
  const containers = join(home, '.config', 'containers');
  const policy = join(containers, 'policy.json');
  const lookaside = join(containers, 'registries.d');
  const blobs = join(home, 'tmp');
  // An empty file and an empty folder in the home stand in for those in /etc; skopeo 1.9 knows no variable for them.
  for (const each of [lookaside, join(containers, 'registries.conf.d'), blobs]) await mkdir(each, { recursive: true });
  await writeFile(join(containers, 'registries.conf'), '');
  await writeFile(policy, JSON.stringify(POLICY));
  // Without --tmpdir, blobs that have to be kept for a moment go to /var/tmp.
  return { flags: ['--policy', policy, '--registries.d', lookaside, '--tmpdir', blobs], env: { HOME: home } };
}
