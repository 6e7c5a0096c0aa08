import { expect, test } from 'vitest';
import type { SyncEntry } from '../../config/model.ts';
import { sha256 } from '../../oci/digest.ts';
import { sync } from '../../plan/sample.ts';
import { formatReference, pin, type Digest } from '../../reference.ts';
import type { Fact } from '../../trust/facts.ts';
import { readCopy } from '../../trust/predicates/copy.ts';
import type { StepContext } from '../engine.ts';
import type { SignCopyInput } from './sign.ts';
import { copyOrigin } from './statements.ts';

const [first, ours, between] = ['first', 'ours', 'between'].map((text) => sha256(text)) as [Digest, Digest, Digest];
const entry = sync('a.example/x:1', 'r.example/x:1');
const [{ destination }] = entry.targets;
const target = formatReference(destination);

/** The copy attestation that is asked for when the tag is moved from `before` to our image. */
function copyOf(before: Digest | null, attested: readonly (Digest | null)[]) {
  const engine = { now: () => new Date('2026-11-30T10:00:00Z') };
  const input = {
    probed: { before: { [target]: before }, source: pin({ registry: 'a.example', path: 'x' }, ours) },
    image: { digest: ours },
  } as unknown as SignCopyInput;
  const present = attested.map((previous, at) => {
    const time = `2026-11-0${at + 1}T10:00:00Z`;
    const said = { source: 'a.example/x:1', sourceDigest: ours, targets: [target], time };
    return {
      referrer: sha256(time),
      subject: ours,
      time,
      content: { kind: 'copy', copy: { ...said, previous: { [target]: previous } } },
    };
  }) as unknown as readonly Fact[];
  const wanted = copyOrigin({ engine, entry } as unknown as StepContext<SyncEntry>, input, present);
  return { renew: wanted.renew, previous: readCopy(wanted.statement.predicate)?.previous };
}

test('a copy attestation says what each tag named before, also where the image comes back to it', () => {
  expect(copyOf(null, [])).toEqual({ renew: true, previous: { [target]: null } });
  expect(copyOf(between, [first])).toEqual({ renew: true, previous: { [target]: between } });
  expect(copyOf(first, [null])).toEqual({ renew: true, previous: { [target]: first } });
});

test.each<[string, Digest | null, readonly (Digest | null)[]]>([
  ['the tag is where it was when that was attested, as after a kill or a rollback', first, [first]],
  ['the tag is where the newest attestation says', between, [first, between]],
  ['the tag names the image', ours, [first]],
  ['the tag is gone', null, [first]],
])('it is not made again where %s', (_, before, attested) => {
  expect(copyOf(before, attested).renew).toBe(false);
});
