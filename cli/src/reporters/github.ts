/** The log of GitHub Actions: groups and annotations, on stderr, where the runner reads commands as well as on stdout. */
import { githubView, type GithubViewOptions } from '@slipway/core';
import type { Reporter } from './index.ts';

/** `command` writes past the guard that keeps commands out of everything else. */
export function githubReporter(command: (text: string) => void, options: GithubViewOptions): Reporter {
  const view = githubView(options);
  return {
    event(event) {
      for (const line of view.lines(event)) command(`${line}\n`);
    },
    close() {},
  };
}
