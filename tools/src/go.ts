/** The Go toolchain: where it is, how new it is, and one `go build`. */
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cancelled, fail, ok } from '@slipway/core';
import type { Failure, MissingToolFailure, Result } from '@slipway/core';
import { runProcess } from '@slipway/core/exec';
import type { ProcessOutcome } from '@slipway/core/exec';
import semver from 'semver';
import type { Environment } from './cache.ts';
import { onPath } from './path.ts';
import { buildArguments, buildEnvironment } from './pins.ts';
import type { Pin } from './pins.ts';

export interface Go {
  /** Absolute. */
  readonly path: string;
  /** As `1.26.8`. */
  readonly version: string;
}

/** Where Go's own installation guide puts it, for shells whose PATH does not name it. */
const usualPlace = '/usr/local/go/bin';

/** The Go on PATH (or in its usual place), if it is at least `minimum` (as `1.26.3`). */
export async function findGo(env: Environment, minimum: string, signal: AbortSignal): Promise<Result<Go>> {
  const path = (await onPath('go', { PATH: `${env['PATH'] ?? ''}:${usualPlace}` }))[0];
  if (path === undefined)
    return fail(noGo(minimum, `no \`go\` on PATH (${env['PATH'] ?? 'empty'}) or in ${usualPlace}`));
  const asked = await runProcess({
    path,
    args: ['env', 'GOVERSION'],
    cwd: '/',
    env: { ...inherited(env), GOTOOLCHAIN: 'local' },
    timeout: 30_000,
    maxOutput: 65_536,
    signal,
  });
  if (asked.end === 'cancelled') return fail(cancelled);
  const version = asked.end === 'exit' ? semver.coerce(asked.stdout)?.version : undefined;
  if (version === undefined || semver.lt(version, minimum))
    return fail(noGo(minimum, `${path} is ${version ?? 'of an unknown version'}`));
  return ok({ path, version });
}

function noGo(minimum: string, why: string): MissingToolFailure {
  return {
    reason: 'missing-tool',
    class: 'permanent',
    tool: 'go',
    message: `Go ${minimum} or newer is needed to build the tools: ${why}`,
    hint: 'Install Go from https://go.dev/dl/, or put the tools themselves on PATH (`slipway doctor` lists their versions)',
  };
}

/** The `go` line of a go.mod as a whole version: `1.26` is `1.26.0`. */
export function requiredGo(goMod: string): string {
  return semver.coerce(/^go (\S+)$/m.exec(goMod)?.[1])?.version ?? '1.26.0';
}

export interface Build {
  readonly go: Go;
  readonly pin: Pin;
  /** The folder of the pin's go.mod. */
  readonly module: string;
  /** Where the program goes, when it is whole. */
  readonly path: string;
  /** A folder for this build alone, in the same file system as `path`. */
  readonly scratch: string;
  readonly env: Environment;
  readonly signal: AbortSignal;
}

/** Half an hour: trivy takes five minutes on two idle cores, and a quarter of an hour on busy ones. */
const limit = 30 * 60_000;

/** Builds one tool. A failed download is tried once more; whatever is there already is not fetched again. */
export async function buildTool(build: Build): Promise<Result<void>> {
  const first = await goBuild(build);
  if (first.ok || first.failure.class !== 'transient') return first;
  // An abort during the pause shows itself in the second attempt.
  await sleep(2000, undefined, { signal: build.signal }).catch(() => undefined);
  return goBuild(build);
}

async function goBuild(build: Build): Promise<Result<void>> {
  const { go, pin, module, path, scratch, env, signal } = build;
  const output = join(scratch, pin.name);
  const built = await runProcess({
    path: go.path,
    args: buildArguments(pin, output),
    cwd: module,
    env: { ...inherited(env), ...buildEnvironment(pin), ...goSystem, GOTMPDIR: scratch },
    timeout: limit,
    maxOutput: 1_048_576,
    signal,
  });
  const failure = failureOf(built, pin);
  if (failure !== undefined) return fail(failure);
  await mkdir(dirname(path), { recursive: true });
  await rename(output, path);
  return ok(undefined);
}

/** Go's exit code does not tell a broken network from broken code; its words do. */
const network =
  /i\/o timeout|connection (reset|refused)|handshake timeout|unexpected EOF|no such host|temporary failure|server misbehaving|stream error|\b(429|50[0234]) /i;

function failureOf(built: ProcessOutcome, pin: Pin): Failure | undefined {
  if (built.end === 'exit' && built.code === 0) return undefined;
  if (built.end === 'cancelled') return cancelled;
  const output = built.end === 'not-started' ? built.message : built.stderr;
  const transient = built.end === 'exit' && network.test(output);
  return {
    reason: 'tool',
    class: transient ? 'transient' : 'permanent',
    tool: 'go',
    message: `go build of ${pin.name} ${pin.version} ${built.end === 'timeout' ? `took longer than ${limit / 60_000} minutes` : 'failed'}`,
    output: output.split('\n').slice(-20).join('\n'),
    ...(built.end === 'exit' ? { exitCode: built.code } : {}),
    hint: transient
      ? 'The Go module proxy could not be reached: check the network and GOPROXY, then run it again'
      : 'Read what Go wrote; too little memory (3 GB for trivy) and a full disk are the usual reasons',
  };
}

/** What Go may see of our environment: where its caches are and how to reach the network, nothing that changes the result. */
const allowed = [
  'HOME',
  'PATH',
  'TMPDIR',
  'XDG_CACHE_HOME',
  'XDG_CONFIG_HOME',
  'GOCACHE',
  'GOMODCACHE',
  'GOPATH',
  'GOENV',
  'GOPROXY',
  'GONOPROXY',
  'GOPRIVATE',
  'GOSUMDB',
  'GONOSUMDB',
  'GOINSECURE',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NETRC',
];

function inherited(env: Environment): Readonly<Record<string, string>> {
  return Object.fromEntries(allowed.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
}

/** Named outright, so that a `go env -w GOOS=…` of the user's does not build for another machine. */
const goSystem = { GOOS: process.platform, GOARCH: process.arch === 'x64' ? 'amd64' : process.arch };
