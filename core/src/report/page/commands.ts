/** What a reader can run to see the same as the report, and to undo it. Pure. */
import { locationScheme } from '../../location.ts';
import { predicateType } from '../../trust/model.ts';
import { quote } from '../cosign.ts';
import type { ReportImage } from './image.ts';

export interface Command {
  /** What it does, as a heading. */
  readonly what: string;
  readonly command: string;
}

const ATTESTED = { SBOM: predicateType.sbom, scan: predicateType.scan } as const;

/** `moved`: whether the run moved the tag, or was about to, from something that it can be put back to. */
export function commandsFor(
  {
    id,
    destination,
    digest,
    outcome,
    before,
    signed,
  }: Pick<ReportImage, 'id' | 'destination' | 'digest' | 'outcome' | 'before' | 'signed'>,
  run: string,
  cosign: string | undefined,
  moved: boolean,
): readonly Command[] {
  const reference = quote(`${destination.slice(0, destination.lastIndexOf(':'))}@${digest ?? ''}`);
  // cosign asks registries only; what lies in a layout can be checked by slipway.
  const flags = locationScheme(destination) === undefined ? cosign : undefined;
  const checks =
    digest === null || !signed
      ? []
      : [
          ...(flags === undefined
            ? []
            : [
                { what: 'Check the signature', command: `cosign verify ${flags} ${reference}` },
                ...Object.entries(ATTESTED).map(([name, type]) => ({
                  what: `Check the attested ${name}`,
                  command: `cosign verify-attestation ${flags} --type ${type} ${reference}`,
                })),
              ]),
          ...(cosign === undefined
            ? []
            : [{ what: 'Check everything that must be attached', command: `slipway verify --only ${quote(id)}` }]),
        ];
  return [
    { what: 'Look at what the tag names now', command: `slipway show ${quote(destination)}` },
    ...checks,
    ...(outcome === 'published' && before !== null
      ? [{ what: 'Put this tag back to the image before', command: `slipway rollback ${quote(destination)}` }]
      : []),
    ...(moved ? [undoOf(run)] : []),
  ];
}

export function undoOf(run: string): Command {
  return { what: 'Put back every tag that this run moved', command: `slipway rollback ${quote(run)}` };
}

/** Whether that puts anything back. */
export function canUndo(run: string, images: readonly ReportImage[]): boolean {
  const { command } = undoOf(run);
  return images.some(({ commands }) => commands.some((one) => one.command === command));
}
