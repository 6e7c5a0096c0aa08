/** The steps of every job. Those that run Slipway do so by `exec`: a signal that ends the job then reaches it, and not a shell. */
import type { EmitInput } from '@slipway/core';
import { actions, expression, literal, type Step } from './workflow.ts';

const SLIPWAY = 'exec node_modules/.bin/slipway';

/** GitHub's own registry takes the job's token, which no setting has to name. */
export const GHCR = 'ghcr.io';

type Input = Pick<EmitInput, 'plan' | 'context'>;

/** Checkout, Node.js, Slipway and its tools. */
export function preparation(input: Input): readonly Step[] {
  return [
    { name: 'Check out', uses: actions.checkout, with: { 'persist-credentials': false } },
    {
      name: 'Restore tools',
      uses: actions.cache,
      with: {
        path: CACHED.map((path) => `${path}\n`).join(''),
        key: `slipway-${expression('runner.os')}-${expression('runner.arch')}-${expression("hashFiles('package-lock.json')")}`,
        'restore-keys': `slipway-${expression('runner.os')}-${expression('runner.arch')}-`,
      },
    },
    { name: 'Take the newest Node.js of the machine', run: NODE },
    { name: 'Install Slipway', run: INSTALL },
    ...(hasPackages(input) ? [{ name: 'Prepare for melange', run: BUBBLEWRAP }] : []),
    { name: 'Build missing tools', run: `${SLIPWAY} tools install` },
  ];
}

/**
 * Each by its name, and not all of the user's cache: a pull request may read any cache of main's, by a step of its own, so that nothing may
 * be in one that only main is to know, as the mark by which `.slipway` is believed is. What a pull request saves, only itself gets again.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/dependency-caching#restrictions-for-accessing-a-cache
 */
const CACHED = ['~/.cache/slipway/tools', '~/.cache/slipway/compiled', '~/.npm'];

/** Where the machine has several, the one on the PATH may be too old. */
const NODE = `for folder in "\${RUNNER_TOOL_CACHE:-/opt/hostedtoolcache}"/node/2[4-9].*/*/bin; do
  if [ -x "$folder/node" ]; then echo "$folder" >> "$GITHUB_PATH"; fi
done
`;

const INSTALL = `if [ ! -e node_modules/.bin/slipway ]; then npm ci --no-audit --no-fund; fi
`;

/** Ubuntu keeps user namespaces from programs that it does not know. */
const BUBBLEWRAP = `if ! command -v bwrap > /dev/null; then
  sudo apt-get update
  sudo apt-get install --yes --no-install-recommends bubblewrap
fi
if [ -e /proc/sys/kernel/apparmor_restrict_unprivileged_userns ]; then
  sudo sysctl --write kernel.apparmor_restrict_unprivileged_userns=0
fi
`;

/** Only where something is published to, or read from, GitHub's registry, and the settings say no other login. */
export function login(input: Input): readonly Step[] {
  if (!usesGhcr(input) || input.context.logins.includes(GHCR)) return [];
  return [
    {
      name: "Log in to GitHub's registry",
      env: { REGISTRY_TOKEN: expression('github.token') },
      run: `printf '%s' "$REGISTRY_TOKEN" | docker login ${GHCR} --username "$GITHUB_ACTOR" --password-stdin\n`,
    },
  ];
}

/**
 * A registry on loopback, of this job alone, in the background. `tools install` prints name, version and path of what it has;
 * the port is free, whatever else runs on the machine, and the registry names it in its log.
 */
export function scratchRegistry(): readonly Step[] {
  return [
    { name: 'Build the scratch registry', run: `${SLIPWAY} tools install registry > "$RUNNER_TEMP/registry.tool"\n` },
    {
      name: 'Start the scratch registry',
      env: {
        REGISTRY_HTTP_ADDR: '127.0.0.1:0',
        REGISTRY_LOG_LEVEL: 'info',
        OTEL_TRACES_EXPORTER: 'none',
      },
      run: START_REGISTRY,
    },
  ];
}

const START_REGISTRY = `folder=$(mktemp --directory "$RUNNER_TEMP/registry.XXXXXX")
echo '{ "version": 0.1, "storage": { "filesystem": {}, "delete": { "enabled": true } } }' > "$folder/config.yml"
export REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY="$folder/data"
registry=$(cut --delimiter ' ' --fields 3- "$RUNNER_TEMP/registry.tool")
: > "$folder/log"
nohup "$registry" serve "$folder/config.yml" > "$folder/log" 2>&1 &
echo $! > "$RUNNER_TEMP/registry.pid"
port=
for _ in $(seq 100); do
  port=$(sed --quiet 's/.*listening on 127\\.0\\.0\\.1:\\([0-9]*\\).*/\\1/p' "$folder/log")
  if [ -n "$port" ]; then break; fi
  sleep 0.1
done
if [ -z "$port" ]; then cat "$folder/log"; exit 1; fi
echo "SLIPWAY_SCRATCH=127.0.0.1:$port/scratch" >> "$GITHUB_ENV"
`;

export function endScratchRegistry(): Step {
  return {
    name: 'End the scratch registry',
    if: 'always()',
    run: 'if [ -e "$RUNNER_TEMP/registry.pid" ]; then kill "$(cat "$RUNNER_TEMP/registry.pid")" || true; fi\n',
  };
}

export interface Call {
  readonly name: string;
  /** By which others read its outputs; `slipway` when absent. */
  readonly id?: string;
  readonly command: string;
  /** Names of secrets. */
  readonly secrets: readonly string[];
  /** Further variables; texts, in which no expression is meant, are made {@link literal} by the caller. */
  readonly env?: Readonly<Record<string, string>>;
  /** Arguments of ours, which name variables. */
  readonly args?: string;
}

export function slipway(
  { context }: Input,
  { name, id = 'slipway', command, secrets, env = {}, args = '' }: Call,
): Step {
  const named = [...new Set(secrets)].toSorted().map((secret) => [secret, secretOf(secret)]);
  const options = {
    SLIPWAY_CONFIG: literal(context.config),
    ...(context.settings === undefined ? {} : { SLIPWAY_SETTINGS: literal(context.settings) }),
  };
  const settings = context.settings === undefined ? '' : ' --settings "$SLIPWAY_SETTINGS"';
  return {
    name,
    id,
    env: { ...options, ...env, ...(Object.fromEntries(named) as Record<string, string>) },
    run: `${SLIPWAY} ${command} --config "$SLIPWAY_CONFIG"${settings}${args}\n`,
  };
}

function secretOf(name: string): string {
  return expression(name === 'GITHUB_TOKEN' ? 'github.token' : `secrets.${name}`);
}

export function usesGhcr({ plan }: Pick<Input, 'plan'>): boolean {
  const sources = [...plan.entries.filter(({ kind }) => kind === 'sync'), ...plan.selections].map(
    ({ source }) => source,
  );
  return publishesToGhcr({ plan }) || sources.some(isGhcr);
}

export function publishesToGhcr({ plan }: Pick<Input, 'plan'>): boolean {
  const selected = plan.selections.map(({ destination }) => destination);
  return [...plan.entries.flatMap(({ targets }) => targets), ...selected].some(isGhcr);
}

function isGhcr(name: string): boolean {
  return name.startsWith(`${GHCR}/`);
}

function hasPackages({ plan }: Input): boolean {
  return plan.tasks.some(({ contract }) => contract === 'package.build@1');
}
