/** SARIF 2.1.0, which code hosts show beside the lines: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html */
import { createHash } from 'node:crypto';
import { relative, sep } from 'node:path';
import type { CheckFinding } from './model.ts';
import { SCHEMA, sarifText, suppression } from '../report/sarif.ts';
import { rules } from './run.ts';

/** `folder`: what paths are relative to, the root of the checkout. */
export function sarifLog(
  findings: readonly CheckFinding[],
  folder: string,
  version: string,
): Readonly<Record<string, unknown>> {
  const tells = findings.some(({ waived }) => waived !== undefined);
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'slipway',
            version,
            semanticVersion: version,
            rules: rules.map(({ id, severity, title, why }) => ({
              id,
              shortDescription: { text: title },
              fullDescription: { text: why },
              help: { text: `${title} ${why}` },
              defaultConfiguration: { level: severity },
            })),
          },
        },
        // Results of another category in the same checkout, as a scanner's, are not replaced by these.
        automationDetails: { id: 'slipway-check/' },
        columnKind: 'utf16CodeUnits',
        results: findings.map((finding) => ({
          ...resultOf(finding, folder),
          // Where one says whether it is suppressed, all do (§3.27.23 of the specification).
          ...(tells ? { suppressions: suppressionsOf(finding) } : {}),
        })),
      },
    ],
  };
}

function resultOf({ rule, severity, entry, message, hint, at }: CheckFinding, folder: string): object {
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level: severity,
    message: { text: sarifText(`${entry}: ${message}${hint === undefined ? '' : ` (${hint})`}`) },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(at.file, folder), uriBaseId: '%SRCROOT%' },
          region: { startLine: at.line, startColumn: at.column },
        },
      },
    ],
    // The line may move; the finding stays the same one as long as it says the same of the same entry.
    partialFingerprints: {
      'slipwayCheck/v1': createHash('sha256').update(`${rule}\n${entry}\n${message}`).digest('hex'),
    },
  };
}

function suppressionsOf({ waived }: CheckFinding): readonly unknown[] {
  return waived === undefined ? [] : [suppression(waived)];
}

/** Relative, with `/` between parts, and each part encoded. */
function uriOf(file: string, folder: string): string {
  return relative(folder, file).split(sep).map(encodeURIComponent).join('/');
}
