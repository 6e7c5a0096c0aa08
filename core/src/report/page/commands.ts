/** What a reader can run to see the same as the report, and to undo it. Pure. */
import { isRunId } from '../../journal/run-id.ts';
import { locationScheme, parseLocation } from '../../location.ts';
import { predicateType } from '../../trust/model.ts';
import type { Asked } from '../../journal/events.ts';
import { areCosignFlags, quote } from '../cosign.ts';
import type { ReportImage } from './image.ts';

export interface Command {
  /** What it does, as a heading. */
  readonly what: string;
  readonly command: string;
}

const ATTESTED = { SBOM: predicateType.sbom, scan: predicateType.scan } as const;

/** What commands have to know of the run. */
export interface Ran {
  readonly run: string;
  readonly cosign?: string;
  readonly asked?: Asked;
}

/**
 * `moved`: whether the run moved the tag, or was about to, from something that it can be put back to. Journals may be somebody else's, and
 * these are pasted into a shell: what is no name of an image or of a run, no path and no flags of ours, is in none of them.
 */
export function commandsFor(
  {
    id,
    destination,
    digest,
    outcome,
    before,
    signed,
  }: Pick<ReportImage, 'id' | 'destination' | 'digest' | 'outcome' | 'before' | 'signed'>,
  ran: Ran,
  moved: boolean,
): readonly Command[] {
  const { asked } = ran;
  if (!parseLocation(destination).ok || !isPlain(asked)) return [];
  const cosign = ran.cosign !== undefined && areCosignFlags(ran.cosign) ? ran.cosign : undefined;
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
            : [
                {
                  what: 'Check everything that must be attached',
                  command: `slipway verify --only ${quote(id)}${sameAs(asked)}`,
                },
              ]),
        ];
  return [
    { what: 'Look at what the tag names now', command: `slipway show ${quote(destination)}${showAs(asked)}` },
    ...checks,
    // It goes by what is attested of the image: nothing where it is not signed, and of one that was put back what it came after itself.
    ...(outcome === 'published' && before !== null && signed && id !== `rollback:${destination}`
      ? [
          {
            what: 'Put this tag back to the image before',
            command: `slipway rollback ${quote(destination)}${sameAs(asked)}`,
          },
        ]
      : []),
    ...(moved && isRunId(ran.run) ? [undoOf(ran)] : []),
  ];
}

export function undoOf({ run, asked }: Ran): Command {
  return { what: 'Put back every tag that this run moved', command: `slipway rollback ${quote(run)}${sameAs(asked)}` };
}

/** Whether that puts anything back. */
export function canUndo(ran: Ran, images: readonly ReportImage[]): boolean {
  const { command } = undoOf(ran);
  return images.some(({ commands }) => commands.some((one) => one.command === command));
}

/** Without these a command would be about the images of another config, or of the one that the run was only a try of. */
export function sameAs({ config, settings, to }: Asked = {}): string {
  return [flag('config', config), flag('settings', settings), flag('to', to)].join('');
}

/** It reads no config. */
function showAs({ settings, to }: Asked = {}): string {
  return `${flag('settings', settings)}${to === undefined ? '' : ' --scratch'}`;
}

/** Whether that is safe to paste: no option in a value's place, and no settings that are a program. */
export function isPlain({ config = 'x', settings = 'x.yaml', to = 'x' }: Asked = {}): boolean {
  return (
    [config, settings, to].every((value) => /^[^-\p{C}]\P{C}*$/u.test(value)) && /\.(?:ya?ml|json)$/.test(settings)
  );
}

function flag(name: string, value: string | undefined): string {
  return value === undefined ? '' : ` --${name} ${quote(value)}`;
}
