/** Shared by this folder's tests. */
import type { ConfigFailure } from '../failure.ts';
import type { JsonSchema } from '../plugin/api.ts';
import type { ConfigOptions } from './load.ts';
import type { Loaded } from './loaded.ts';

export const modeProperties: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>> = {
  apko: {},
  docker: { maxAge: { type: 'string', pattern: '^[0-9]+d$' } },
  ko: { importPath: { type: 'string' } },
};

export const options: ConfigOptions = {
  context: { branch: 'main', sha: '0123456789abcdef0123456789abcdef01234567', date: '2026-11-23' },
  modeProperties,
};

export function digest(character: string): string {
  return `sha256:${character.repeat(64)}`;
}

/** The value, or an error that shows why there is none. */
export function valueOf<T>(result: Loaded<T>): T {
  if (result.ok) return result.value;
  throw new Error(result.failures.map((failure) => `${failure.at?.line}: ${failure.message}`).join('\n'));
}

/** `line:column message`, as short as a test can read. */
export function complaints(result: Loaded<unknown>): readonly string[] {
  return result.ok ? [] : result.failures.map((failure) => `${place(failure)} ${failure.message}`);
}

export function hints(result: Loaded<unknown>): readonly (string | undefined)[] {
  return result.ok ? [] : result.failures.map((failure) => failure.hint);
}

function place({ at }: ConfigFailure): string {
  return at === undefined ? '-' : `${at.line}:${at.column}`;
}

/** In the shape of a real repository's config: pinned and unpinned sources, notes, retags, short keys. */
export const syncNames = [
  'alpine:3.18',
  'redhat/ubi8:8.8',
  'redhat/ubi8-minimal:8.8',
  'agents/agent:7',
  'debian:bookworm-slim',
  'lint/lint:v2.12.0-alpine',
  'infra/planner:1.5.0',
  'node:16.17.1-alpine',
  'node:20.3-alpine3.18',
  'python:3.11.4-bullseye',
  'python:3.11.4-alpine3.18',
  'go:1.16',
  'go:1.20',
  'static:latest',
  'nginx:latest',
  'node:20',
  'docs:2023-06-14',
  'conform:v0.1.0-alpha.27',
  'centos:centos7',
  'centos:stream8',
  'curl:8.1.2',
  'zap/stable:2.11.1',
];

export const reference = `# yaml-language-server: $schema=./slipway.schema.json
sync:
  # NOTES
  # - pin the source by its digest
${syncNames
  .map(
    (name, index) => `  - source: docker.io/upstream/${name.replace(':stream8', '')}@${digest((index % 10).toString())}
    destination: registry.example/images/${name} # note ${index}`,
  )
  .join('\n')}
build:
  # NOTES
  - source: ./images/docs/Dockerfile
    destination: registry.example/images/docs:latest
  - source: ./images/git/image.yaml
    destination: registry.example/images/git:latest
    melangeConfigs:
      - ./images/git/pkg-hello.yaml
  - source: ./images/xslt/image.yaml
    destination: registry.example/images/xslt:3.18
  - source: ./images/tex/image.yaml
    destination: registry.example/images/tex:latest
    buildOnMainOnly: true
  - source: ./images/chart/Dockerfile
    destination: registry.example/images/chart
    dockerOptions:
      context: ./images/chart
`;
