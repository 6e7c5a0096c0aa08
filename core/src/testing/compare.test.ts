/** What `slipway plugin diff` says: tried with copies that do too little, and too much. */
import { describe, expect, it } from 'vitest';
import { configFailure, fail, ok, type Result } from '../failure.ts';
import type { TaskContext } from '../plugin/api.ts';
import type { ContractInput, ContractOutput } from '../plugin/contract-api.ts';
import type { Tag } from '../reference.ts';
import { copy } from '../registry/copy.ts';
import type { Registry } from '../registry/model.ts';
import { client } from '../registry/test-client.ts';
import { compareCopies, compareSboms, type Implementation } from './compare.ts';
import { imageKinds } from './sample-kinds.ts';
import { seedPackages } from './sample-packages.ts';
import { startScriptedRegistry } from './scripted-registry.ts';

type Copy = (input: ContractInput<'image.copy@1'>, registry: Registry) => Promise<Result<unknown>>;

const honest: Copy = ({ sources: [source], destination }, registry) =>
  copy(registry.content(source, 'source'), registry.content(destination, 'destination'), destination.digest);

function copier(name: string, registry: Registry, run: Copy): Implementation {
  const call = async (_: string, input: unknown): Promise<Result<unknown>> => {
    const asked = input as ContractInput<'image.copy@1'>;
    const copied = await run(asked, registry);
    return copied.ok ? ok({ digest: asked.destination.digest }) : copied;
  };
  return { name, host: { call: call as Implementation['host']['call'] }, context };
}

/** These do not look at it. */
async function context(): Promise<TaskContext & AsyncDisposable> {
  return { [Symbol.asyncDispose]: async () => {} } as unknown as TaskContext & AsyncDisposable;
}

describe('two copies', () => {
  it('that do the same are equal for every kind of image', async () => {
    await using registry = client();
    const cases = await compareCopies([copier('a', registry, honest), copier('b', registry, honest)]);
    expect(cases.map(({ name }) => name)).toEqual(Object.keys(imageKinds));
    expect(cases).toEqual(cases.map(({ name }) => ({ name, equal: true, differences: [] })));
  });

  it('differ by what one leaves out, and by the tag it makes', async () => {
    await using registry = client();
    const idle = copier('idle', registry, async () => ok(undefined));
    const tagging = copier('tagging', registry, async (input, to) => {
      const copied = await honest(input, to);
      return copied.ok ? to.tag(input.destination, 'oops' as Tag) : copied;
    });
    const [single] = await compareCopies([idle, tagging]);
    expect(single).toMatchObject({ name: 'a single manifest', equal: false });
    expect(single?.differences).toEqual([
      ...Array.from({ length: 3 }, () => expect.stringMatching(/^only tagging stored the blob sha256:/)),
      expect.stringMatching(/^only tagging stored the manifest sha256:\S+ \(application\/vnd\.oci\.image\.manifest/),
      'only tagging made the tag oops',
    ]);
  });

  it('differ when one fails, and are told when both do', async () => {
    await using registry = client();
    const failing = copier('failing', registry, async () => fail(configFailure('no can do')));
    const [one] = await compareCopies([copier('a', registry, honest), failing]);
    expect(one).toMatchObject({ equal: false, differences: ['a: succeeded', 'failing: no can do'] });
    const [neither] = await compareCopies([failing, failing]);
    expect(neither).toMatchObject({ equal: true, neither: 'no can do' });
  });
});

it('two lists of packages are compared without what each tool adds to a purl', async () => {
  await using registry = await startScriptedRegistry();
  const { digest } = seedPackages(registry, 'a/b');
  const platform = { os: 'linux', architecture: 'amd64' };
  const repository = { registry: registry.host, path: 'a/b' };
  const input = { subject: { kind: 'pinned', ...repository, digest }, children: [{ digest, platform }] } as const;
  const lister = (name: string, ...purls: readonly string[]): Implementation => {
    const packages = purls.map((referenceLocator, index) => ({
      SPDXID: `SPDXRef-${index}`,
      externalRefs: [{ referenceType: 'purl', referenceLocator }],
    }));
    const output: ContractOutput<'sbom.make@1'> = { documents: [{ digest, spdx: { packages } }] };
    return { name, host: { call: (async () => ok(output)) as unknown as Implementation['host']['call'] }, context };
  };
  const one = lister('one', 'pkg:apk/alpine/musl@1?arch=x86_64', 'pkg:npm/%40a/b@1');
  const other = lister('other', 'pkg:npm/%40a/b@1#lib', 'pkg:apk/alpine/musl@1?distro=3.20', 'pkg:apk/alpine/zlib@1');
  expect(await compareSboms([one, one], input)).toMatchObject([{ equal: true }]);
  expect(await compareSboms([one, other], input)).toEqual([
    { name: 'packages of linux/amd64', equal: false, differences: ['only other found pkg:apk/alpine/zlib@1'] },
  ]);
});
