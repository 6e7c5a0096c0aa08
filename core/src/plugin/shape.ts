/** Whether what a module exports is a plugin that this core can load. Checked before any of its code runs. */
import semver from 'semver';
import { isFields } from '../config/fields.ts';
import type { Plugin } from './api.ts';

/** The plugin API that this core speaks. */
export const pluginApi = { major: 1, minor: 1 } as const;

const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const TOOL = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

export type Shape =
  | { readonly kind: 'plugin'; readonly plugin: Plugin }
  /** Its API is not ours: it may have any shape, so nothing else was looked at. */
  | { readonly kind: 'api'; readonly message: string; readonly hint: string }
  | { readonly kind: 'wrong'; readonly message: string };

export function readPlugin(value: unknown): Shape {
  if (!isFields(value)) {
    return wrong('its default export is not a plugin object');
  }
  const name = value['name'];
  if (typeof name !== 'string' || !NAME.test(name)) {
    return wrong('its "name" is not of lower-case words joined by "-"');
  }
  const api = readApi(name, value['api']);
  if (api !== undefined) {
    return api;
  }
  const problem = problemOf(value);
  // Every part of the type was looked at.
  return problem === undefined ? { kind: 'plugin', plugin: value as unknown as Plugin } : wrong(problem);
}

function readApi(name: string, api: unknown): Shape | undefined {
  const [, major, minor] = typeof api === 'string' ? (/^([0-9]{1,4})\.([0-9]{1,4})$/.exec(api) ?? []) : [];
  const ours = `${pluginApi.major}.${pluginApi.minor}`;
  if (major === undefined || minor === undefined) {
    return wrong(`its "api" is not a version as "${ours}"`);
  }
  const older = Number(major) < pluginApi.major;
  if (Number(major) === pluginApi.major && Number(minor) <= pluginApi.minor) {
    return undefined;
  }
  return {
    kind: 'api',
    message: `plugin ${name} was written for plugin API ${major}.${minor}; this is ${ours}`,
    hint: older
      ? `install a newer version of ${name}`
      : `install a newer slipway, or a version of ${name} for plugin API ${pluginApi.major}`,
  };
}

function problemOf(value: Readonly<Record<string, unknown>>): string | undefined {
  if (typeof value['version'] !== 'string' || value['version'] === '') {
    return 'its "version" is not a text';
  }
  if (typeof value['apply'] !== 'function') {
    return 'its "apply" is not a function';
  }
  if (value['preflight'] !== undefined && typeof value['preflight'] !== 'function') {
    return 'its "preflight" is not a function';
  }
  if (value['options'] !== undefined && !isFields(value['options'])) {
    return 'its "options" are not a JSON Schema';
  }
  const needs = value['needs'];
  if (!isFields(needs) || !Array.isArray(needs['tools'])) {
    return 'its "needs.tools" is not a list';
  }
  for (const need of needs['tools'] as readonly unknown[]) {
    if (!isFields(need) || typeof need['name'] !== 'string' || !TOOL.test(need['name'])) {
      return 'an item of its "needs.tools" has no valid name';
    }
    if (typeof need['range'] !== 'string' || semver.validRange(need['range']) === null) {
      return `the range of "${need['name']}" in its "needs.tools" is not a version range`;
    }
  }
  const env = needs['env'];
  if (
    env !== undefined &&
    !(Array.isArray(env) && env.every((item) => typeof item === 'string' && VARIABLE.test(item)))
  ) {
    return 'its "needs.env" is not a list of names of environment variables';
  }
  return undefined;
}

function wrong(message: string): Shape {
  return { kind: 'wrong', message };
}
