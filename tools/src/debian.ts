/** Debian packages that the real tools need beside them, as melange needs bubblewrap. */
import { fail, ok } from '@slipway/core';
import type { Result } from '@slipway/core';

/** Programs that Slipway does not build because Debian has them, and the package of each. */
export const debianPackageOf: ReadonlyMap<string, string> = new Map([['skopeo', 'skopeo']]);

/** Runs a program of the system's; `stdout` is what it printed, whether it succeeded or not. */
export type Run = (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) => Promise<{ readonly ok: boolean; readonly stdout: string; readonly stderr: string }>;

export interface DebianOptions {
  readonly run: Run;
  /** Whether packages may be installed; the process's own user when absent. */
  readonly root?: boolean;
  /** Called with the missing packages just before they are installed. */
  readonly onInstall?: (packages: readonly string[]) => void;
}

/** Installs what is missing as root; for everybody else, and on other systems, it names the packages and stops. */
export async function ensureDebianPackages(packages: readonly string[], options: DebianOptions): Promise<Result<void>> {
  const { run, root = process.getuid?.() === 0, onInstall } = options;
  // It exits with 1 when one of them is unknown, and still prints the others.
  const asked = await run('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', '--', ...packages], {});
  const installed = new Set(
    asked.stdout
      .split('\n')
      .filter((line) => line.endsWith(' installed'))
      .map((line) => line.split(' ', 1)[0]),
  );
  const missing = packages.filter((name) => !installed.has(name));
  if (missing.length === 0) return ok(undefined);
  const byHand = `apt-get install --no-install-recommends ${missing.join(' ')}`;
  if (!root) return notInstalled(missing, 'only root can install them', `As root: ${byHand}`);
  onInstall?.(missing);
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  // A failed update may leave lists that are good enough; the install tells.
  await run('apt-get', ['update', '-q'], env);
  const result = await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', '--', ...missing], env);
  if (result.ok) return ok(undefined);
  const last = result.stderr.trim().split('\n').at(-1) ?? '';
  return notInstalled(missing, last === '' ? 'apt-get failed' : last, `Try: ${byHand}`);
}

function notInstalled(missing: readonly string[], why: string, hint: string): Result<void> {
  const tool = missing[0] ?? '';
  return fail({
    reason: 'missing-tool',
    class: 'permanent',
    tool,
    message: `Debian packages are missing: ${missing.join(', ')} (${why})`,
    hint,
  });
}
