/**
 * What one melange config makes and what it needs, as far as edges between packages go.
 * https://github.com/chainguard-dev/melange/blob/main/docs/BUILD-FILE.md
 */
import {
  fields as fieldsOf,
  items as listOf,
  text as textOf,
  texts as textsOf,
  type Fields,
} from '../config/fields.ts';
import { configFailure, fail, ok, type ConfigFailure, type Result } from '../failure.ts';
import { addTransformed, substitute } from './melange-variables.ts';
import { holdsLogin, inCheckout, isRemote } from './package-address.ts';
import type { PackagePipeline } from './package-pipelines.ts';
import { yamlFields } from './yaml-fields.ts';

export interface MelangePackage {
  readonly name: string;
  /** Other names it can be installed by, without versions. */
  readonly provides: readonly string[];
  /** Names that come with it when it is installed. */
  readonly runtime: readonly string[];
}

export interface PackageConfig {
  /** Path of the melange config, relative to the config's folder. */
  readonly config: string;
  readonly version: string;
  /** The package itself and its subpackages. */
  readonly packages: readonly [MelangePackage, ...MelangePackage[]];
  /** Names its build environment installs. */
  readonly needs: readonly string[];
  /** Alpine's names of the only architectures it is built for; absent: any. */
  readonly architectures?: readonly string[];
  /** Remote repositories that its build environment is made from. */
  readonly repositories: readonly string[];
  /** Files of the config's folder that hold public keys for these. */
  readonly keys: readonly string[];
  /** Files of pipelines of one's own that it uses. */
  readonly pipelines: readonly string[];
}

/**
 * Reads the text of one config. `file` is how positions name it; errors have line and column where YAML has them. `pipelines`: those of
 * one's own that it uses.
 */
export function parseMelange(
  config: string,
  text: string,
  file: string,
  pipelines: readonly PackagePipeline[] = [],
): Result<PackageConfig, ConfigFailure> {
  const read = yamlFields(text);
  if ('problem' in read) {
    const { problem, line, column } = read;
    return fail(configFailure(`"${config}" ${problem}`, undefined, { file, line, column }));
  }
  const root = read.fields;
  const head = fieldsOf(root['package']);
  const name = textOf(head['name']);
  const version = textOf(head['version']);
  if (name === undefined || version === undefined) {
    const missing = name === undefined ? 'package.name' : 'package.version';
    return fail(
      configFailure(`"${config}" has no ${missing}`, 'a melange config says what package it makes', {
        file,
        line: 1,
        column: 1,
      }),
    );
  }
  const epoch = textOf(head['epoch']) ?? '0';
  const variables = new Map([
    ['package.name', name],
    ['package.version', version],
    ['package.epoch', epoch],
    ['package.full-version', `${version}-r${epoch}`],
  ]);
  for (const [key, variable] of Object.entries(fieldsOf(root['vars'])))
    variables.set(`vars.${key}`, textOf(variable) ?? '');
  addTransformed(variables, root['var-transforms']);
  const main = packageOf(name, head, variables);
  const subpackages = listOf(root['subpackages']).flatMap((each) => subpackagesOf(fieldsOf(each), root, variables));
  const needs = new Set<string>();
  const contents = fieldsOf(fieldsOf(root['environment'])['contents']);
  const secret = lineWithLogin(contents, variables);
  if (secret !== undefined) {
    // One that is written in several lines is not found as it is read.
    const line = text.slice(0, Math.max(text.indexOf(secret), 0)).split('\n').length;
    const message = `a repository or key of "${config}" holds a name or a password, which would be published with the package`;
    return fail(configFailure(message, 'write the address without it', { file, line, column: 1 }));
  }
  for (const text of textsOf(contents['packages'])) addName(needs, text, variables);
  addPipelineNeeds(needs, root['pipeline'], variables);
  for (const { definition } of pipelines) addPipelineNeeds(needs, [definition], variables);
  for (const each of listOf(root['subpackages'])) addPipelineNeeds(needs, fieldsOf(each)['pipeline'], variables);
  const architectures = targetsOf(head);
  return ok({
    config,
    version,
    packages: [main, ...subpackages],
    needs: [...needs],
    ...(architectures === undefined ? {} : { architectures }),
    repositories: remoteRepositories(contents, variables),
    keys: localKeys(contents),
    pipelines: pipelines.map(({ path }) => path),
  });
}

/** Melange takes an empty list and `[all]` for every architecture. */
function targetsOf(head: Fields): readonly string[] | undefined {
  const targets = textsOf(head['target-architecture']);
  return targets.length === 0 || (targets.length === 1 && targets[0] === 'all') ? undefined : targets;
}

/** `@edge https://…/edge/main/` → `https://…/edge/main`; folders are left out. */
function remoteRepositories(contents: Fields, variables: ReadonlyMap<string, string>): readonly string[] {
  const lines = [...textsOf(contents['repositories']), ...textsOf(contents['build_repositories'])];
  return [...new Set(lines.map((line) => locationOf(line, variables)).filter(isRemote))];
}

function locationOf(line: string, variables: ReadonlyMap<string, string>): string {
  return substitute(line, variables)
    .trim()
    .replace(/^@\S+\s+/, '')
    .replace(/\/+$/, '');
}

function lineWithLogin(contents: Fields, variables: ReadonlyMap<string, string>): string | undefined {
  const lines = ['repositories', 'build_repositories', 'keyring'].flatMap((key) => textsOf(contents[key]));
  return lines.find((line) => holdsLogin(locationOf(line, variables)));
}

function localKeys(contents: Fields): readonly string[] {
  return textsOf(contents['keyring'])
    .filter((key) => !isRemote(key))
    .map(inCheckout);
}

/** A subpackage with `range:` stands for one package per item of that data. */
function subpackagesOf(
  fields: Fields,
  root: Fields,
  variables: ReadonlyMap<string, string>,
): readonly MelangePackage[] {
  const name = textOf(fields['name']);
  if (name === undefined) return [];
  const range = textOf(fields['range']);
  if (range === undefined) return [packageOf(name, fields, variables)];
  const data = listOf(root['data'])
    .map(fieldsOf)
    .find((each) => textOf(each['name']) === range);
  return Object.entries(fieldsOf(data?.['items'])).map(([key, item]) =>
    packageOf(name, fields, new Map([...variables, ['range.key', key], ['range.value', textOf(item) ?? '']])),
  );
}

function packageOf(name: string, fields: Fields, variables: ReadonlyMap<string, string>): MelangePackage {
  const dependencies = fieldsOf(fields['dependencies']);
  const provides = new Set<string>();
  const runtime = new Set<string>();
  for (const text of textsOf(dependencies['provides'])) addName(provides, text, variables);
  for (const text of textsOf(dependencies['runtime'])) addName(runtime, text, variables);
  return { name: substitute(name, variables), provides: [...provides], runtime: [...runtime] };
}

/** Steps hold steps; the depth is the file's own, which the size of a file bounds, so this walks without recursion. */
function addPipelineNeeds(needs: Set<string>, pipeline: unknown, variables: ReadonlyMap<string, string>): void {
  // A set being walked also yields what is added on the way, and each once: by an alias a pipeline may hold itself.
  const open = new Set([pipeline]);
  for (const steps of open) {
    for (const step of listOf(steps).map(fieldsOf)) {
      for (const text of textsOf(fieldsOf(step['needs'])['packages'])) addName(needs, text, variables);
      open.add(step['pipeline']);
    }
  }
}

function addName(names: Set<string>, text: string, variables: ReadonlyMap<string, string>): void {
  const name = packageName(substitute(text, variables));
  if (name !== undefined) names.add(name);
}

/** `hello@local`, `hello=1.2-r0`, `hello~1` → `hello`; `!hello` is a conflict and names nothing. */
export function packageName(text: string): string | undefined {
  const name = /^[^\s=<>~@]+/.exec(text.trim())?.[0];
  return name === undefined || name.startsWith('!') ? undefined : name;
}
