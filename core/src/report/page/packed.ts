/**
 * What the page's script reads, in few bytes: images of one base have most packages and findings in common, so each of those is
 * in the page once, and images name it by its number. Pure.
 */
import type { ListedPackage } from '../../journal/events.ts';
import type { Finding } from '../../trust/model.ts';
import type { ReportImage, ReportData } from './data.ts';

export interface PackedImage extends Omit<ReportImage, 'sbom' | 'findings'> {
  readonly findings: readonly number[];
  readonly sbom: readonly { readonly platform: string; readonly packages: readonly number[] }[];
}

export interface Packed extends Pick<ReportData, 'tasks'> {
  readonly images: readonly PackedImage[];
  readonly packages: readonly ListedPackage[];
  readonly findings: readonly Finding[];
}

export function packed({ images, tasks }: ReportData): Packed {
  const packages = pool<ListedPackage>(({ name, version, purl, license }) => [name, version, purl, license].join('\n'));
  const findings = pool<Finding>((finding) => JSON.stringify(finding));
  return {
    images: images.map((image) => ({
      ...image,
      findings: image.findings.map(findings.number),
      sbom: image.sbom.map(({ platform, packages: some }) => ({ platform, packages: some.map(packages.number) })),
    })),
    packages: packages.all,
    findings: findings.all,
    tasks,
  };
}

interface Pool<T> {
  readonly all: readonly T[];
  /** Of this, or of what is the same. */
  readonly number: (one: T) => number;
}

function pool<T>(keyOf: (one: T) => string): Pool<T> {
  const all: T[] = [];
  const numbers = new Map<string, number>();
  return {
    all,
    number(one) {
      const key = keyOf(one);
      const known = numbers.get(key);
      if (known !== undefined) return known;
      numbers.set(key, all.length);
      return all.push(one) - 1;
    },
  };
}
