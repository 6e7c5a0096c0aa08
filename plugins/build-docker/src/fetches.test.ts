import { describe, expect, it } from 'vitest';
import { mayFetch } from './fetches.ts';

const sum = `sha256:${'a'.repeat(64)}`;

describe('a Dockerfile that may fetch', () => {
  it.each([
    ['a step', 'FROM a:1\nRUN apk add curl'],
    ['a step in lower case, continued', 'FROM a:1\nrun \\\n  make'],
    ['a step with other flags', 'FROM a:1\nRUN --mount=type=cache,target=/x --network=host make'],
    ['a heredoc', 'FROM a:1\nRUN <<EOF\nmake\nEOF'],
    ['ADD of a URL', 'FROM a:1\nADD --chown=1 https://a.example/x /x'],
    ['ADD in JSON', 'FROM a:1\nADD ["HTTP://a.example/x", "/x"]'],
    ['ADD of a repository', 'FROM a:1\nADD git@a.example:b.git /b'],
    ['ADD of a variable', 'FROM a:1\nARG FROM_WHERE\nADD $FROM_WHERE /b'],
  ])('has %s', (_, text) => expect(mayFetch(text)).toBe(true));

  it.each([
    ['nothing but copies', 'FROM a:1\nCOPY a /b\nCOPY --from=b:1 /c /d\nADD e.tar /f\nENTRYPOINT ["/b"]'],
    ['a step without a network', 'FROM a:1\nRUN --network=none make'],
    ['ADD with a checksum', `FROM a:1\nADD --checksum=${sum} https://a.example/x /x`],
    ['a comment, and a heredoc that looks like a step', 'FROM a:1\n# RUN make\nCOPY <<EOF /x\nRUN make\nEOF'],
  ])('does not have %s', (_, text) => expect(mayFetch(text)).toBe(false));
});
