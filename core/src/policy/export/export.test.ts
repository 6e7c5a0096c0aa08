import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import type { Accept, SignatureFormat, Signing } from '../../config/settings-model.ts';
import { exportPolicy } from './export.ts';
import type { Exported, ExportKind } from './model.ts';

function key(namedCurve = 'P-256'): Accept {
  const publicKey = generateKeyPairSync('ec', { namedCurve })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString();
  return { kind: 'key', publicKey, fingerprint: 'a'.repeat(64) };
}

const KEY = key();
const WORKFLOW: Accept = {
  kind: 'identity',
  issuer: { exact: 'https://token.actions.githubusercontent.com' },
  subject: { pattern: '^(?:https://github\\.com/example/.*)$' },
};
const PERSON: Accept = {
  kind: 'identity',
  issuer: { exact: 'https://accounts.example.com' },
  subject: { exact: 'builder@example.com' },
};
const repositories = [
  { registry: 'ghcr.io', path: 'example/b' },
  { registry: 'docker.io', path: 'example/a' },
  { registry: 'ghcr.io', path: 'example/b' },
];

function signing(signer: Accept, format?: SignatureFormat, ...others: readonly Accept[]): Signing {
  return { signer, accept: [signer, ...others], ...(format === undefined ? {} : { format }) };
}

function exported(kind: ExportKind, by: Signing): Exported {
  const result = exportPolicy(kind, { signing: by, repositories });
  if (!result.ok) throw new Error(result.failure.message);
  return result.value;
}

function refused(kind: ExportKind, by: Signing): string {
  const result = exportPolicy(kind, { signing: by, repositories });
  if (result.ok) throw new Error('it was not refused');
  return `${result.failure.message} → ${result.failure.hint}`;
}

const kyvernoRule = (by: Signing): Record<string, unknown> => {
  const [policy] = exported('kyverno', by).documents as [
    { spec: { rules: [{ verifyImages: [Record<string, unknown>] }] } },
  ];
  return policy.spec.rules[0].verifyImages[0];
};

it.each(['kyverno', 'policy-controller'] as const)('%s: the text is the data', (kind) => {
  const { files, documents } = exported(kind, signing(WORKFLOW));
  expect(files.map(({ content }) => parse(content) as unknown)).toEqual(documents);
});

describe('kyverno', () => {
  it.each([
    [undefined, 'SigstoreBundle'],
    ['bundle', 'SigstoreBundle'],
    ['both', 'SigstoreBundle'],
    ['legacy', 'Cosign'],
  ] as const)('looks for what format %s attaches: %s', (format, type) => {
    expect(kyvernoRule(signing(KEY, format))).toMatchObject({ type, required: true, failureAction: 'Enforce' });
  });

  it('names every repository once, with any tag or digest and no longer name', () => {
    expect(kyvernoRule(signing(KEY))['imageReferences']).toEqual([
      ...['docker.io/example/a:*', 'docker.io/example/a@*'],
      ...['ghcr.io/example/b:*', 'ghcr.io/example/b@*'],
    ]);
  });

  it('accepts each signer alone, a key without a log', () => {
    const [attestors] = kyvernoRule(signing(KEY, 'bundle', WORKFLOW))['attestors'] as [Record<string, unknown>];
    expect(attestors).toMatchObject({
      count: 1,
      entries: [
        {
          keys: {
            publicKeys: KEY.kind === 'key' && KEY.publicKey,
            rekor: { ignoreTlog: true },
            ctlog: { ignoreSCT: true },
          },
        },
        {
          keyless: {
            issuer: 'https://token.actions.githubusercontent.com',
            subjectRegExp: '^(?:https://github\\.com/example/.*)$',
          },
        },
      ],
    });
  });

  it('names the hash of a larger key', () => {
    expect(JSON.stringify(kyvernoRule(signing(key('P-384'))))).toContain('"signatureAlgorithm":"sha384"');
  });

  it('says from which version on keys are understood in bundles', () => {
    expect(exported('kyverno', signing(KEY)).notes.join()).toContain('1.19');
    expect(exported('kyverno', signing(KEY, 'legacy')).notes).toEqual([]);
  });
});

describe('policy-controller', () => {
  const authorities = (by: Signing): readonly Record<string, unknown>[] =>
    (exported('policy-controller', by).documents as [{ spec: { authorities: Record<string, unknown>[] } }])[0].spec
      .authorities;

  it('says signatureFormat, because without it only the legacy tags are looked for', () => {
    expect(authorities(signing(WORKFLOW))).toMatchObject([{ signatureFormat: 'bundle' }]);
    expect(authorities(signing(WORKFLOW, 'both'))).toMatchObject([{ signatureFormat: 'bundle' }]);
    expect(authorities(signing(WORKFLOW, 'legacy'))).toMatchObject([{ signatureFormat: 'legacy' }]);
    expect(authorities(signing(KEY, 'both'))).toMatchObject([
      { key: { hashAlgorithm: 'sha256' }, signatureFormat: 'legacy' },
    ]);
  });

  it('refuses bundles made with a key, which it cannot verify, and says what to do', () => {
    expect(refused('policy-controller', signing(KEY))).toContain('signing.format: both');
  });

  it('leaves older keys out of a bundle policy, and says so', () => {
    expect(authorities(signing(WORKFLOW, 'bundle', KEY))).toHaveLength(1);
    expect(exported('policy-controller', signing(WORKFLOW, 'bundle', KEY)).notes.join()).toContain('left out');
  });

  it('calls Docker Hub by the name it knows', () => {
    expect(exported('policy-controller', signing(WORKFLOW)).files[0]?.content).toContain('index.docker.io/example/a:*');
  });

  it('refers to a root of its own for a private instance', () => {
    const by = { ...signing(WORKFLOW), trustedRoot: '/root.json' };
    expect(authorities(by)).toMatchObject([{ keyless: { trustRootRef: 'slipway' } }]);
    expect(exported('policy-controller', by).notes.join()).toContain('TrustRoot');
  });
});

describe('containers', () => {
  it.each([undefined, 'bundle'] as const)('refuses format %s, which containers/image cannot read', (format) => {
    expect(refused('containers', signing(KEY, format))).toMatch(/cannot read Sigstore bundles.*signing\.format: both/s);
  });

  it('writes the policy, and switches the legacy tags on for the same repositories', () => {
    const [policy, registries] = exported('containers', signing(KEY, 'both')).files;
    const { transports } = JSON.parse(policy?.content ?? '') as { transports: { docker: Record<string, unknown> } };
    expect(Object.keys(transports.docker)).toEqual(['docker.io/example/a', 'ghcr.io/example/b']);
    const keyData = Buffer.from(KEY.kind === 'key' ? KEY.publicKey : '').toString('base64');
    expect(transports.docker['ghcr.io/example/b']).toEqual([
      { type: 'sigstoreSigned', keyData, signedIdentity: { type: 'matchRepository' } },
    ]);
    expect(parse(registries?.content ?? '')).toEqual({
      docker: {
        'docker.io/example/a': { 'use-sigstore-attachments': true },
        'ghcr.io/example/b': { 'use-sigstore-attachments': true },
      },
    });
  });

  it('lists several keys in one requirement, since several requirements would all have to hold', () => {
    const [policy] = exported('containers', signing(KEY, 'legacy', key())).documents as [
      { transports: { docker: Record<string, { keyDatas: string[] }[]> } },
    ];
    const [requirement, ...more] = policy.transports.docker['ghcr.io/example/b'] ?? [];
    expect(requirement?.keyDatas).toHaveLength(2);
    expect(more).toEqual([]);
  });

  it('takes an exact e-mail address, and refuses an identity that it cannot express', () => {
    expect(exported('containers', signing(PERSON, 'legacy')).files[0]?.content).toContain(
      '"subjectEmail": "builder@example.com"',
    );
    expect(refused('containers', signing(WORKFLOW, 'legacy'))).toContain('exact issuer and e-mail');
  });
});
