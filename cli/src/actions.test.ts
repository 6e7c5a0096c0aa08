/** The command in a job of GitHub Actions: annotations on the config, and no command of anybody else's. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Row } from '@slipway/core';
import { describe, expect, it } from 'vitest';
import { command, folderWith } from '../testing.ts';
import { forActions, writeActionsFiles } from './actions.ts';
import type { Io } from './io.ts';

const row: Row = {
  id: 'sync:ghcr.io/example/a:1',
  destination: 'ghcr.io/example/a:1',
  digest: `sha256:${'ab'.repeat(32)}`,
  outcome: 'published',
  before: null,
  why: 'new',
  findings: null,
  signed: true,
  size: null,
  packages: null,
  seconds: 1,
};
const result = {
  run: 'r1',
  command: 'run',
  rows: [row],
  edges: [],
  only: [],
  exitCode: 0,
  seconds: 1,
  day: '2026-11-25',
};

function world(env: Readonly<Record<string, string>>, cwd = '/checkout'): { readonly io: Io; readonly said: string[] } {
  const said: string[] = [];
  const write = (text: string): void => void said.push(text);
  const interrupt = new AbortController().signal;
  const shape = { terminal: false, color: false, rows: () => 24, columns: () => 80 };
  return { io: forActions({ cwd, env, stdout: write, stderr: write, interrupt, ...shape }), said };
}

describe('in a job of GitHub Actions', () => {
  it('a mistake is shown on the line of the config that has it', async () => {
    const cwd = folderWith({ 'team/config.yaml': 'sync:\n  - source: a b\n    destination: ghcr.io/example/a:1\n' });
    const env = { GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: cwd };
    const ran = await command({ cwd: join(cwd, 'team'), env }, 'plan', '--json');
    expect(ran.code).toBe(2);
    expect(ran.stderr).toMatch(/^::error file=team\/config\.yaml,line=2,col=\d+::.*a b/m);
    const elsewhere = await command({ cwd: join(cwd, 'team') }, 'plan');
    expect(elsewhere.stderr).not.toContain('::error');
  });

  it('what others wrote is no command, and our own is one', () => {
    const { io, said } = world({ GITHUB_ACTIONS: 'true' });
    io.stdout('fine\n::error::owned\n');
    io.stderr('a ##[error]owned\n');
    io.workflow?.('::notice::ours\n');
    expect(said.join('')).not.toMatch(/^::error|##\[/m);
    expect(said.at(-1)).toBe('::notice::ours\n');
    expect(world({}).io.workflow).toBeUndefined();
  });

  it('a run appends to the summary and the outputs of its step', () => {
    const folder = folderWith({ summary: 'before\n', output: 'a=b\n' });
    const files = { GITHUB_STEP_SUMMARY: join(folder, 'summary'), GITHUB_OUTPUT: join(folder, 'output') };
    writeActionsFiles(world({ GITHUB_ACTIONS: 'true', ...files }).io, result);
    expect(readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8')).toMatch(/^before\n## slipway run\n/);
    const outputs = readFileSync(files.GITHUB_OUTPUT, 'utf8');
    expect(outputs).toMatch(/^a=b\nrun<<(slipway_[0-9a-f-]{36})\nr1\n\1\n/);
    expect(outputs).toContain(`{"ghcr.io/example/a:1":"${row.digest}"}`);
  });

  it('says when what a job before had published is another image by now', () => {
    const needs = `${row.id} sha256:${'cd'.repeat(32)}\n`;
    const { io, said } = world({ GITHUB_ACTIONS: 'true', SLIPWAY_NEEDS: needs });
    writeActionsFiles(io, result);
    expect(said).toEqual([expect.stringMatching(/^::warning::sync:ghcr\.io\/example\/a:1 is sha256:abab/)]);
    const same = world({ GITHUB_ACTIONS: 'true', SLIPWAY_NEEDS: `${row.id} ${row.digest}\n` });
    writeActionsFiles(same.io, result);
    expect(same.said).toEqual([]);
  });

  it('gives the digest of the one entry that was asked for', () => {
    const output = join(folderWith({ output: '' }), 'output');
    const { io } = world({ GITHUB_ACTIONS: 'true', GITHUB_OUTPUT: output });
    writeActionsFiles(io, { ...result, only: ['sync:ghcr.io\\/example/a:1'] });
    writeActionsFiles(io, { ...result, only: ['sync:*'] });
    expect(readFileSync(output, 'utf8').match(/^digest<<.*\n.*$/gm)).toEqual([
      expect.stringContaining(`\n${row.digest}`),
    ]);
  });

  it('writes nothing elsewhere, over no limit, and fails no run', () => {
    const folder = folderWith({ summary: 'before\n' });
    const files = { GITHUB_STEP_SUMMARY: join(folder, 'summary'), GITHUB_OUTPUT: join(folder, 'no', 'output') };
    writeActionsFiles(world(files).io, result);
    expect(readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8')).toBe('before\n');
    writeFileSync(files.GITHUB_STEP_SUMMARY, 'x'.repeat(1_048_500));
    const { io, said } = world({ GITHUB_ACTIONS: 'true', ...files });
    writeActionsFiles(io, result);
    expect(readFileSync(files.GITHUB_STEP_SUMMARY, 'utf8').length).toBeLessThanOrEqual(1_048_576);
    expect(said.join('')).toContain('cannot be written');
  });
});
