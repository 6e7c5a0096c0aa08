/** Surroundings for the tests of this package: a folder of their own, programs that are small scripts, a tiny Go module. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Pin } from './src/pins.ts';

/** A fresh folder that is gone after the test. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-tools-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes `folder/name`, a program that runs `body` by sh. */
export function script(folder: string, name: string, body: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\n${body}\n`);
  chmodSync(path, 0o755);
  return path;
}

export const tiny: Pin = {
  name: 'tiny',
  kind: 'world',
  module: 'slipway.example/tools/tiny',
  version: '0.1.0',
  package: '.',
  expectedSeconds: 1,
};

/** A Go module without dependencies, under `modules/tiny`. */
export function tinyModule(modules: string, source = 'package main\n\nfunc main() { println("tiny") }\n'): void {
  const folder = join(modules, tiny.name);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'go.mod'), `module ${tiny.module}\n\ngo 1.26\n`);
  writeFileSync(join(folder, 'main.go'), source);
}
