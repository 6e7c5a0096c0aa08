/** What a reader of the settings is told about a plugin that cannot be used: the line, why, and what to do. */
import { describe, expect, it } from 'vitest';
import { answerOf, command, folderWith } from '../testing.ts';

const config = { 'config.yaml': 'build:\n  - {source: ./a.yaml, destination: r.example/a:1}\n', 'a.yaml': '' };

/** A module whose default export is a plugin with these parts. */
function plugin(parts: string): string {
  return `export default { name: 'third', version: '1.0.0', api: '1.0', needs: { tools: [] }, apply() {}, ${parts} };\n`;
}

const modules = {
  'future.mjs': plugin("api: '2.0'"),
  'options.mjs': plugin(
    "options: { type: 'object', additionalProperties: false, properties: { level: { type: 'integer' } } }",
  ),
  'copy.mjs': plugin("apply(hooks) { hooks.task.for('image.copy@1').tapPromise('third', async () => undefined); }"),
  'unknown.mjs': plugin("apply(hooks) { hooks.task.for('image.scann@1').tapPromise('third', async () => undefined); }"),
  'own-step.mjs': plugin("apply(hooks) { hooks.task.for('core.tag@1').tapPromise('third', async () => undefined); }"),
  'mode.mjs': plugin(
    "apply(hooks) { hooks.mode.tapPromise('third', async (modes) => modes.add({ name: 'apko', claims: () => true, inputs() {}, build() {} })); }",
  ),
  'broken.mjs': 'export default {',
  'nothing.mjs': 'export default 1;\n',
  'throws.mjs': plugin("apply() { throw new Error('at once'); }"),
};

interface Case {
  readonly what: string;
  readonly settings: string;
  /** Line and column. */
  readonly at: string;
  readonly message: string;
  readonly hint: string;
}

const cases: readonly Case[] = [
  {
    what: 'another API',
    settings: 'plugins:\n  - ./future.mjs\n',
    at: '2:5',
    message: 'plugin third was written for plugin API 2.0; this is 1.1',
    hint: 'install a newer slipway',
  },
  {
    what: 'an option that it does not know',
    settings: 'plugins:\n  - name: ./options.mjs\n    options: {levle: 1}\n',
    at: '2:5',
    message: 'options of plugin third: it has an unknown property "levle"',
    hint: 'did you mean "level"?',
  },
  {
    what: 'an option of the wrong kind',
    settings: 'plugins:\n  - name: ./options.mjs\n    options: {level: high}\n',
    at: '2:5',
    message: '"level" must be integer',
    hint: '',
  },
  {
    what: 'a contract that two implement',
    settings: 'main: main\nplugins:\n  - ./copy.mjs\n',
    at: '3:5',
    message: 'image.copy@1 is implemented by two plugins: sync-registry and third',
    hint: 'use: { image.copy: third }',
  },
  {
    what: 'a mode that two bring',
    settings: 'plugins:\n  - ./mode.mjs\n',
    at: '2:5',
    message: 'the mode "apko" is brought by two plugins: build-apko and third',
    hint: 'take one of them out',
  },
  {
    what: 'a contract that does not exist',
    settings: 'plugins:\n  - ./unknown.mjs\n',
    at: '2:5',
    message: 'image.scann@1 is no contract of this plugin API',
    hint: 'did you mean "image.scan@1"?',
  },
  {
    what: "a step of the core's own",
    settings: 'plugins:\n  - ./own-step.mjs\n',
    at: '2:5',
    message: "core.tag@1 is the core's own step and cannot be implemented",
    hint: '',
  },
  {
    what: 'a package that is not installed',
    settings: 'plugins:\n  - build-greet\n',
    at: '2:5',
    message: 'the plugin package "build-greet" is not installed',
    hint: 'npm install build-greet',
  },
  {
    what: 'one of ours that is misspelt',
    settings: 'plugins:\n  - sync-skopoe\n',
    at: '2:5',
    message: 'the plugin package "sync-skopoe" is not installed',
    hint: 'did you mean "sync-skopeo"?',
  },
  {
    what: 'a file that is not there',
    settings: 'plugins:\n  - ./missing.mjs\n',
    at: '2:5',
    message: 'the plugin file "./missing.mjs" does not exist',
    hint: 'relative to',
  },
  {
    what: 'a file with an error in it',
    settings: 'plugins:\n  - ./broken.mjs\n',
    at: '2:5',
    message: 'the plugin "./broken.mjs" could not be loaded',
    hint: 'ask its author',
  },
  {
    what: 'a module that is no plugin',
    settings: 'plugins:\n  - ./nothing.mjs\n',
    at: '2:5',
    message: 'its default export is not a plugin object',
    hint: 'ask its author',
  },
  {
    what: 'an apply that throws',
    settings: 'plugins:\n  - ./throws.mjs\n',
    at: '2:5',
    message: 'at once',
    hint: '',
  },
  {
    what: 'use of a contract that does not exist',
    settings: 'plugins: [./copy.mjs]\nuse:\n  image.copi: third\n',
    at: '3:3',
    message: 'unknown key "image.copi" in "use"',
    hint: 'did you mean "image.copy"?',
  },
  {
    what: 'use of a plugin that is not listed',
    settings: 'plugins: [./copy.mjs]\nuse:\n  image.copy: thrid\n',
    at: '3:3',
    message: 'use: there is no plugin "thrid"',
    hint: 'did you mean "third"?',
  },
  {
    what: 'use of one of ours that is misspelt, and so was not loaded',
    settings: 'use: { image.copy: sync-crain }\n',
    at: '1:8',
    message: 'use: there is no plugin "sync-crain"',
    hint: 'did you mean "sync-crane"?',
  },
  {
    what: 'use of a plugin that cannot do it',
    settings: 'plugins: [./options.mjs]\nuse:\n  image.scan: third\n',
    at: '3:3',
    message: 'use: the plugin third does not implement image.scan@1',
    hint: 'scan-trivy does',
  },
];

describe('settings that name a plugin', () => {
  it.each(cases)('are told of $what', async ({ settings, at, message, hint }) => {
    const cwd = folderWith({ ...config, ...modules, 'slipway.config.yaml': settings });
    const told = await command({ cwd }, 'plan', '--json');
    expect(told.code).toBe(2);
    const { failures } = answerOf(told);
    expect(failures).toHaveLength(1);
    expect(failures[0]?.message).toContain(message);
    expect(failures[0]?.hint ?? '').toContain(hint);
    expect(told.stderr).toContain(`slipway.config.yaml:${at}: `);
    const [line = 0] = at.split(':').map(Number);
    expect(told.stderr).toContain(`  ${line} | ${settings.split('\n')[line - 1]}`);
    expect(told.stderr).not.toMatch(/\n\s+at /);
  });

  it('are told of everything that is wrong with them at once', async () => {
    const settings = 'plugins:\n  - ./future.mjs\n  - build-greet\n  - ./nothing.mjs\n';
    const cwd = folderWith({ ...config, ...modules, 'slipway.config.yaml': settings });
    const told = await command({ cwd }, 'plan', '--json');
    expect(answerOf(told).failures.map(({ at }) => at?.line)).toEqual([2, 3, 4]);
  });
});
