import type { ToolFailure } from '@slipway/core';
import { expect, it } from 'vitest';
import { explain } from './explain.ts';
import { parseOptions } from './options.ts';

/** As buildx tells it when a step failed, or the builder could not do what a line asks for. */
function said(line: number, step: readonly string[], error: string): ToolFailure {
  const output = [
    ...['------', ' > [2/2] RUN:', ...step.map((text) => `0.123 ${text}`), '------'],
    ...[
      `Dockerfile:${line}`,
      '--------------------',
      '   1 |     FROM a:1',
      '   2 | >>> RUN make',
      '--------------------',
    ],
    `ERROR: failed to build: failed to solve: ${error}`,
  ];
  const message = `buildx ended with exit code 1: ${output.at(-1)}`;
  return { reason: 'tool', class: 'permanent', tool: 'buildx', message, hint: 'read it', output: output.join('\n') };
}

function explained(failure: ToolFailure, source = 'images/app/Dockerfile') {
  return explain(failure, { options: parseOptions({}), endpoint: 'unix:///b', source });
}

it.each(['curl: (22) The requested URL returned error: 403 Forbidden', 'secret not found', 'waiting for connection'])(
  'does not take the words of a step that failed for the builder’s: %s',
  (word) => {
    const failure = said(2, [word], `process "/bin/sh -c echo ${word}" did not complete successfully: exit code: 7`);
    expect(explained(failure)).toMatchObject({ message: failure.message, hint: failure.hint });
  },
);

it('takes what went well for no reason', () => {
  const failure = said(2, ['401 Unauthorized'], 'dockerfile parse error on line 2: unknown instruction: RUNN');
  const output = `#1 resolve image config for docker-image://r.example/dockerfile:1\n#1 DONE 0.1s\n${failure.output}`;
  expect(explained({ ...failure, output })).toMatchObject({ message: failure.message, hint: failure.hint });
  const unread = output.replace(' > [2/2] RUN:', ' > resolve image config for docker-image://r.example/dockerfile:1:');
  expect(explained({ ...failure, output: unread }).hint).toContain('# syntax');
});

it('knows a step of a platform that the builder cannot run', () => {
  const error = 'process "/bin/sh -c make" did not complete successfully: exit code: 255';
  expect(explained(said(2, ['exec /bin/sh: exec format error'], error)).hint).toContain('emulation');
});

it('tries again where the builder ended in the middle', () => {
  const lost = 'closing transport due to: connection error: desc = "error reading from server: EOF"';
  const failure = said(2, [], `failed to receive status: rpc error: code = Unavailable desc = ${lost}`);
  expect(explained(failure)).toMatchObject({
    class: 'transient',
    message: expect.stringContaining('the builder ended'),
  });
});

it('names the line of the Dockerfile that buildx quotes', () => {
  const failure = said(2, ['Dockerfile:7'], '"/x": not found');
  expect(explained(failure).at).toEqual({ file: 'images/app/Dockerfile', line: 2, column: 1 });
  expect(explained(failure, 'Dockerfile.debug')).not.toHaveProperty('at');
});
