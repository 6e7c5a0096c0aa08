/** Which file may import what: the walls between the parts, as a table. */
import { globSync, readFileSync } from 'node:fs';
import { isBuiltin, stripTypeScriptTypes } from 'node:module';
import { dirname, join, relative } from 'node:path';
import picomatch from 'picomatch';
import { describe, expect, it } from 'vitest';

interface Rule {
  readonly says: string;
  /** Files it holds for. */
  readonly files: readonly string[];
  readonly except?: readonly string[];
  /** What those files may not import: a path in this repository, a package, or `node:…`. */
  readonly never?: readonly string[];
  /** Everything that they may import, when that is the shorter list. */
  readonly only?: readonly string[];
  readonly instead: string;
}

/** Tests may use what they like to build their surroundings; where the wall also holds for them, the rule says so itself. */
const tests = ['**/*.test.ts', 'core/src/testing/**'];

const rules: readonly Rule[] = [
  {
    says: 'the core imports no plugin, no command, no tools',
    files: ['core/src/**'],
    never: ['cli/**', 'tools/**', 'plugins/**', 'demo/**', 'slipway', '@slipway/**'],
    instead: 'a parameter that the command fills in, as `ToolFinder`',
  },
  {
    says: 'only core/src/exec starts processes',
    files: ['**'],
    // The scripts of the repository and the demo are not part of what is published.
    except: [...tests, 'core/src/exec/**', 'tools/*.ts', 'demo/**', 'test/**', 'bench/**'],
    never: ['node:child_process', 'node:cluster', 'execa'],
    instead: '`context.exec` in a plugin, `runProcess` of core/src/exec elsewhere',
  },
  {
    says: 'only core/src/registry speaks HTTP',
    files: ['**'],
    // The server reads layouts to tools on loopback, and asks nobody.
    except: [...tests, 'core/src/registry/**', 'core/src/oci/serve-layout.ts', 'demo/**', 'test/**', 'bench/**'],
    never: ['undici', 'node:http', 'node:https', 'node:http2'],
    instead: 'the `Registry` of core/src/registry',
  },
  {
    says: 'core/src/registry speaks HTTP by undici alone',
    files: ['core/src/registry/**'],
    except: tests,
    never: ['node:http', 'node:https', 'node:http2'],
    instead:
      'undici; a server that serves a layout belongs to core/src/testing or a file of its own that is named here',
  },
  {
    says: 'the pure parts do no input or output',
    files: [
      'core/src/{plan,policy,selection,trust,report}/**',
      'core/src/{failure,reference}.ts',
      'core/src/**/{model,settings-model}.ts',
    ],
    // The two that read and write on behalf of others, who get them as parameters.
    except: [...tests, 'core/src/plan/files.ts', 'core/src/trust/memory.ts'],
    never: [
      'node:fs',
      'node:fs/**',
      'node:net',
      'node:tls',
      'node:dns',
      'node:os',
      'node:timers/**',
      'node:worker_threads',
      'core/src/exec/!(model).ts',
      'core/src/plan/files.ts',
      'core/src/state-lines.ts',
      'core/src/trust/memory.ts',
    ],
    instead: 'data as a parameter, or an interface as `Files`',
  },
  {
    says: 'plugins import the core’s front door, their own files and dependencies, and harmless builtins',
    files: ['{plugins,examples}/*/src/**'],
    except: tests,
    never: [
      '@slipway/core/*',
      'core/**',
      'cli/**',
      'tools/**',
      '@slipway/!(core)',
      'node:child_process',
      'node:http',
      'node:https',
      'node:net',
    ],
    instead: 'an export of `@slipway/core`; what is missing there is added to core/src/index.ts',
  },
  {
    says: 'tests of plugins use the published parts of the core as well',
    files: ['plugins/*/src/**/*.test.ts'],
    only: [
      '@slipway/core',
      '@slipway/core/testing',
      'plugins/**',
      'node:*',
      'node:*/*',
      'vitest',
      'fast-check',
      '@sigstore/**',
      'yaml',
    ],
    instead: '`@slipway/core/testing`',
  },
];

const root = join(import.meta.dirname, '..', '..');
const files = globSync('{core,cli,tools,plugins,examples,demo,test,bench}/**/*.ts', {
  cwd: root,
  exclude: (name) => name === 'node_modules' || name === 'dist',
}).filter((file) => !file.endsWith('.d.ts'));

describe('imports', () => {
  it('sees the files of every part', () => {
    expect(files).toContain('core/src/imports.test.ts');
    expect(files).toContain('tools/src/find.ts');
    expect(importsOf('tools/src/find.ts')).toContain('@slipway/core');
    expect(importsOf('core/src/exec/model.ts')).toContain('core/src/plugin/api.ts');
  });

  for (const rule of rules) {
    it(rule.says, () => {
      expect(violations(rule), `use instead: ${rule.instead}`).toEqual([]);
    });
  }

  it('form no cycle between files, types left out', () => {
    expect(cycles(new Map(files.map((file) => [file, valueImportsOf(file)])))).toEqual([]);
  });
});

describe('the reading of imports', () => {
  it('sees every form', () => {
    const source = `
      import a, { b } from 'one';
      import type { T } from './two.ts';
      export * from '../three.ts';
      import 'four';
      const five = await import('fs');
      import {
        c,
      } from "node:path";
    `;
    expect(specifiers(source, 'core/src/x/y.ts')).toEqual([
      'one',
      'core/src/x/two.ts',
      'core/src/three.ts',
      'node:path',
      'four',
      'node:fs',
    ]);
  });

  it('finds a cycle and names its files in order', () => {
    const graph = new Map([
      ['a', ['b']],
      ['b', ['c']],
      ['c', ['b']],
      ['d', ['a']],
    ]);
    expect(cycles(graph)).toEqual(['b → c → b']);
  });
});

function violations(rule: Rule): readonly string[] {
  const holds = picomatch([...rule.files], { ignore: [...(rule.except ?? [])] });
  const forbidden = picomatch([...(rule.never ?? [])]);
  const allowed = rule.only === undefined ? () => true : picomatch([...rule.only]);
  return files
    .filter((file) => holds(file))
    .flatMap((file) =>
      importsOf(file)
        .filter((name) => forbidden(name) || !allowed(name))
        .map((name) => `${file} imports ${name}`),
    );
}

function importsOf(file: string): readonly string[] {
  return specifiers(readFileSync(join(root, file), 'utf8'), file);
}

/** Type-only imports are gone at run time. */
function valueImportsOf(file: string): readonly string[] {
  return specifiers(stripTypeScriptTypes(readFileSync(join(root, file), 'utf8')), file);
}

const forms = [
  /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
  /^\s*import\s*['"]([^'"]+)['"]/gm,
  /\b(?:import|require|getBuiltinModule)\(\s*['"]([^'"]+)['"]/g,
];

function specifiers(source: string, file: string): readonly string[] {
  return forms.flatMap((form) => [...source.matchAll(form)].map((match) => normal(match[1] ?? '', file)));
}

/** A relative import as a path in the repository, a builtin with its `node:`. */
function normal(specifier: string, file: string): string {
  if (specifier.startsWith('.')) return relative(root, join(root, dirname(file), specifier));
  return isBuiltin(specifier) && !specifier.startsWith('node:') ? `node:${specifier}` : specifier;
}

/** Each cycle once, as `a → b → a`. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const state = new Map<string, 'open' | 'done'>();
  const path: string[] = [];
  const found: string[] = [];
  const visit = (file: string): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      found.push([...path.slice(path.indexOf(file)), file].join(' → '));
      return;
    }
    state.set(file, 'open');
    path.push(file);
    for (const next of graph.get(file) ?? []) visit(next);
    path.pop();
    state.set(file, 'done');
  };
  for (const file of graph.keys()) visit(file);
  return found;
}
