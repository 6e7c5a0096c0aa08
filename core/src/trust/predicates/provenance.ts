/** SLSA provenance v1 for what was built: https://slsa.dev/spec/v1.0/provenance */
import type { Material } from '../../plugin/api.ts';
import type { Digest } from '../../reference.ts';
import type { BuildKeys } from '../model.ts';
import { asList, asMap, asRecord, asText, asTime, optional } from '../strict.ts';
import { readPrevious, readTargets } from './copy.ts';

const BUILD_TYPE = 'https://slipway.example/build/v1/';
const MAX_MATERIALS = 20_000;
const MAX_PARTS = 20_000;
const MAX_SMALL = 256;

export interface Provenance {
  readonly mode: string;
  /** The build's source, relative to the config's folder. */
  readonly source: string;
  /** What the entry asks of the mode, as data. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly platforms: readonly string[];
  readonly keys: BuildKeys;
  /** `registry/repository:tag` of every target. */
  readonly targets: readonly string[];
  /** Target → the digest its tag named before; `null` when there was none. */
  readonly previous: Readonly<Record<string, Digest | null>>;
  readonly materials: readonly Material[];
  readonly builder: {
    /** A URI: who ran the build and is answerable for it. */
    readonly id: string;
    /** Tool → the version that ran. */
    readonly version: Readonly<Record<string, string>>;
  };
  /** The run's id. */
  readonly invocationId: string;
  /** RFC 3339. */
  readonly startedOn: string;
  /** RFC 3339. */
  readonly finishedOn: string;
}

/** {@link readProvenance} gives back what went in. */
export function provenancePredicate(provenance: Provenance): Readonly<Record<string, unknown>> {
  const { source, options, platforms, keys, targets, previous, materials } = provenance;
  const { builder, invocationId, startedOn, finishedOn } = provenance;
  return {
    buildDefinition: {
      buildType: `${BUILD_TYPE}${provenance.mode}`,
      externalParameters: { source, options, platforms },
      internalParameters: { slipway: { keys, targets, previous } },
      resolvedDependencies: materials,
    },
    runDetails: { builder, metadata: { invocationId, startedOn, finishedOn } },
  };
}

/** Only provenance that Slipway made: anything of another build type is `undefined`. */
export function readProvenance(predicate: unknown): Provenance | undefined {
  const definition = asRecord(asRecord(predicate)?.['buildDefinition']);
  const buildType = asText(definition?.['buildType']);
  if (definition === undefined || buildType === undefined || !buildType.startsWith(BUILD_TYPE)) return undefined;
  const external = readExternal(definition['externalParameters']);
  const internal = readInternal(definition['internalParameters']);
  const materials = asList(definition['resolvedDependencies'], MAX_MATERIALS, readMaterial);
  const run = readRun(asRecord(predicate)?.['runDetails']);
  if (external === undefined || internal === undefined) return undefined;
  if (materials === undefined || run === undefined) return undefined;
  return { mode: buildType.slice(BUILD_TYPE.length), ...external, ...internal, materials, ...run };
}

function readExternal(value: unknown): Pick<Provenance, 'source' | 'options' | 'platforms'> | undefined {
  const record = asRecord(value);
  const source = asText(record?.['source']);
  const options = asRecord(record?.['options']);
  const platforms = asList(record?.['platforms'], MAX_SMALL, asText);
  if (source === undefined || options === undefined || platforms === undefined) return undefined;
  return { source, options, platforms };
}

function readInternal(value: unknown): Pick<Provenance, 'keys' | 'targets' | 'previous'> | undefined {
  const record = asRecord(asRecord(value)?.['slipway']);
  const keys = readKeys(record?.['keys']);
  const targets = readTargets(record?.['targets']);
  const previous = readPrevious(record?.['previous']);
  if (keys === undefined || targets === undefined || previous === undefined) return undefined;
  return { keys, targets, previous };
}

function readKeys(value: unknown): BuildKeys | undefined {
  const record = asRecord(value);
  if (record === undefined) return undefined;
  const input = asText(record['input']);
  const resolved = optional(record, 'resolved', asText);
  const parts = asMap(record['parts'], MAX_PARTS, asText);
  if (input === undefined || resolved === undefined || parts === undefined) return undefined;
  return { input, ...resolved, parts };
}

function readMaterial(value: unknown): Material | undefined {
  const record = asRecord(value);
  const uri = asText(record?.['uri']);
  if (record === undefined || uri === undefined) return undefined;
  const digest = optional(record, 'digest', (item) => asMap(item, 16, asText));
  const name = optional(record, 'name', asText);
  return digest === undefined || name === undefined ? undefined : { uri, ...digest, ...name };
}

function readRun(
  value: unknown,
): Pick<Provenance, 'builder' | 'invocationId' | 'startedOn' | 'finishedOn'> | undefined {
  const builder = asRecord(asRecord(value)?.['builder']);
  const metadata = asRecord(asRecord(value)?.['metadata']);
  const id = asText(builder?.['id']);
  const version = asMap(builder?.['version'], MAX_SMALL, asText);
  const invocationId = asText(metadata?.['invocationId']);
  const startedOn = asTime(metadata?.['startedOn']);
  const finishedOn = asTime(metadata?.['finishedOn']);
  if (id === undefined || version === undefined || invocationId === undefined) return undefined;
  if (startedOn === undefined || finishedOn === undefined) return undefined;
  return { builder: { id, version }, invocationId, startedOn, finishedOn };
}
