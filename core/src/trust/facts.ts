/** What is known of an image because a verified referrer says so. */
import type { Digest } from '../reference.ts';
import { annotation } from './accept.ts';
import { predicateType, type Scan, type Statement } from './model.ts';
import { copyPredicate, readCopy, type Copy } from './predicates/copy.ts';
import { provenancePredicate, readProvenance, type Provenance } from './predicates/provenance.ts';
import { readSbom, type SbomSummary } from './predicates/sbom.ts';
import { readScan, scanPredicate } from './predicates/scan.ts';
import { readSignature } from './predicates/signature.ts';
import { statementSubject } from './statement.ts';
import { asCount, asDigest, asList, asRecord, asText, asTime, optional } from './strict.ts';

export type Content =
  | { readonly kind: 'signature' }
  | { readonly kind: 'sbom'; readonly sbom: SbomSummary }
  | { readonly kind: 'scan'; readonly scan: Scan }
  | { readonly kind: 'provenance'; readonly provenance: Provenance }
  | { readonly kind: 'copy'; readonly copy: Copy };

export interface Fact {
  readonly referrer: Digest;
  readonly subject: Digest;
  readonly predicateType: string;
  /** Who signed: a key's fingerprint or an identity. */
  readonly signer: string;
  /** RFC 3339, as the predicate says; a signature has none. */
  readonly time?: string;
  readonly content: Content;
}

export type FactOf<K extends Content['kind']> = Fact & { readonly content: Extract<Content, { readonly kind: K }> };

export interface Verified {
  readonly statement: Statement;
  readonly referrer: Digest;
  readonly signer: string;
  /** The image that the referrer is attached to. */
  readonly subject: Digest;
  /** The referrer's, which nobody signed. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/**
 * What a verified statement says of its image. `undefined` when it is about another image, when its predicate is not what
 * its type promises, or when the annotations contradict it.
 */
export function factFrom({ statement, referrer, signer, subject, annotations }: Verified): Fact | undefined {
  if (statementSubject(statement) !== subject) return undefined;
  const content = readContent(statement);
  if (content === undefined || !annotationsAgree(content, annotations)) return undefined;
  return makeFact(referrer, subject, signer, content);
}

/** The facts of one kind, with their content's type. */
export function factsOf<K extends Content['kind']>(facts: readonly Fact[], kind: K): readonly FactOf<K>[] {
  return facts.filter((fact): fact is FactOf<K> => fact.content.kind === kind);
}

/** Whether a signature is among them; another statement alone is none. */
export function isSigned(facts: readonly Fact[]): boolean {
  return factsOf(facts, 'signature').length > 0;
}

function makeFact(referrer: Digest, subject: Digest, signer: string, content: Content): Fact {
  const time = timeOf(content);
  const type = predicateType[content.kind];
  return { referrer, subject, predicateType: type, signer, ...(time === undefined ? {} : { time }), content };
}

function readContent(statement: Pick<Statement, 'predicateType' | 'predicate'>): Content | undefined {
  const { predicate } = statement;
  switch (statement.predicateType) {
    case predicateType.signature:
      return readSignature(predicate) && { kind: 'signature' };
    case predicateType.sbom: {
      const sbom = readSbom(predicate);
      return sbom && { kind: 'sbom', sbom };
    }
    case predicateType.scan: {
      const scan = readScan(predicate);
      return scan && { kind: 'scan', scan };
    }
    case predicateType.provenance: {
      const provenance = readProvenance(predicate);
      return provenance && { kind: 'provenance', provenance };
    }
    case predicateType.copy: {
      const copy = readCopy(predicate);
      return copy && { kind: 'copy', copy };
    }
    default:
      return undefined;
  }
}

function timeOf(content: Content): string | undefined {
  switch (content.kind) {
    case 'signature':
      return undefined;
    case 'sbom':
      return content.sbom.created;
    case 'scan':
      return content.scan.finishedAt;
    case 'provenance':
      return content.provenance.finishedOn;
    case 'copy':
      return content.copy.time;
  }
}

function annotationsAgree(content: Content, annotations: Readonly<Record<string, string>> | undefined): boolean {
  const keys = content.kind === 'provenance' ? content.provenance.keys : undefined;
  const [input, resolved] = [annotations?.[annotation.inputKey], annotations?.[annotation.resolvedKey]];
  const type = annotations?.[annotation.predicateType];
  if (type !== undefined && type !== predicateType[content.kind]) return false;
  return (input === undefined || input === keys?.input) && (resolved === undefined || resolved === keys?.resolved);
}

/** A fact as data for a file; {@link unpackFact} reads it with the same strictness as a predicate. */
export function packFact(fact: Fact): unknown {
  const { referrer, subject, signer, content } = fact;
  return { referrer, subject, signer, predicateType: fact.predicateType, content: packContent(content) };
}

function packContent(content: Content): unknown {
  switch (content.kind) {
    case 'signature':
      return {};
    case 'sbom':
      return content.sbom;
    case 'scan':
      return scanPredicate(content.scan);
    case 'provenance':
      return provenancePredicate(content.provenance);
    case 'copy':
      return copyPredicate(content.copy);
  }
}

export function unpackFact(value: unknown): Fact | undefined {
  const record = asRecord(value);
  if (record === undefined) return undefined;
  const referrer = asDigest(record['referrer']);
  const subject = asDigest(record['subject']);
  const signer = asText(record['signer']);
  const type = asText(record['predicateType']);
  if (referrer === undefined || subject === undefined || signer === undefined || type === undefined) return undefined;
  const content =
    type === predicateType.sbom
      ? unpackSbom(record['content'])
      : readContent({ predicateType: type, predicate: record['content'] });
  return content && makeFact(referrer, subject, signer, content);
}

/** Of an SBOM only the summary is kept: the document would be most of the file. */
function unpackSbom(value: unknown): Content | undefined {
  const record = asRecord(value);
  if (record === undefined) return undefined;
  const name = asText(record['name']);
  const packages = asCount(record['packages']);
  const children = asList(record['children'], 256, asDigest);
  const created = optional(record, 'created', asTime);
  if (name === undefined || packages === undefined || children === undefined || created === undefined) return undefined;
  return { kind: 'sbom', sbom: { name, packages, children, ...created } };
}
