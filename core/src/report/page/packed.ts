/**
 * What the page's script reads, in few bytes: images of one base have most packages and findings in common, so each of those is
 * in the page once, and images name it by its number. Pure.
 */
import type { ListedPackage } from '../../journal/events.ts';
import type { Finding } from '../../trust/model.ts';
import type { ReportData } from './data.ts';
import type { LookedInto, ReportImage, Unpublished } from './image.ts';

/** Numbers of a finding, and of where in the image it is: a layer is one image's, what is found in it many have. */
export type PackedFinding = readonly [finding: number, place: number];

interface PackedParts {
  readonly findings: readonly PackedFinding[];
  readonly sbom: readonly { readonly platform: string; readonly packages: readonly number[] }[];
}

export type PackedUnpublished = Omit<Unpublished, keyof PackedParts> & PackedParts;

export interface PackedImage extends Omit<ReportImage, keyof PackedParts | 'made'>, PackedParts {
  readonly made?: PackedUnpublished;
}

export interface Packed extends Pick<ReportData, 'tasks'> {
  readonly images: readonly PackedImage[];
  readonly packages: readonly ListedPackage[];
  readonly findings: readonly Omit<Finding, 'purl' | 'layer' | 'platforms'>[];
  readonly places: readonly Pick<Finding, 'layer' | 'platforms'>[];
}

export function packed({ images, tasks }: ReportData): Packed {
  const packages = pool<ListedPackage>(({ name, version, purl, license }) => [name, version, purl, license].join('\n'));
  const findings = pool<Packed['findings'][number]>((finding) => JSON.stringify(finding));
  const places = pool<Packed['places'][number]>((place) => JSON.stringify(place));
  const parts = (looked: LookedInto): PackedParts => ({
    findings: looked.findings.map((finding) => {
      const { id, severity, package: name, installed, fixed, title, layer, platforms } = finding;
      const found = findings.number({
        id,
        severity,
        package: name,
        installed,
        ...given({ fixed }),
        ...given({ title }),
      });
      return [found, places.number({ ...given({ layer }), platforms })];
    }),
    sbom: looked.sbom.map(({ platform, packages: some }) => ({ platform, packages: some.map(packages.number) })),
  });
  return {
    images: images.map(({ made, ...image }) => ({
      ...image,
      ...parts(image),
      ...(made === undefined ? {} : { made: { ...made, ...parts(made) } }),
    })),
    packages: packages.all,
    findings: findings.all,
    places: places.all,
    tasks,
  };
}

/** Nothing in place of `undefined`, which a property may not be. */
function given<K extends string>(one: Readonly<Record<K, string | undefined>>): Partial<Record<K, string>> {
  return Object.fromEntries(Object.entries(one).filter(([, value]) => value !== undefined)) as Partial<
    Record<K, string>
  >;
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
