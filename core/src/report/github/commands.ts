/**
 * Workflow commands, by which a program's log speaks to GitHub Actions, and how to keep foreign text from doing so.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */

/** `::name key=value,…::message`, escaped as GitHub's own toolkit does it; one line. */
export function workflowCommand(
  name: string,
  message: string,
  properties: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const told = Object.entries(properties).flatMap(([key, value]) =>
    value === undefined || value === '' ? [] : [`${key}=${escapeProperty(String(value))}`],
  );
  return `::${name}${told.length === 0 ? '' : ` ${told.join(',')}`}::${escapeData(message)}`;
}

function escapeData(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
}

/**
 * Text in which the runner finds no command: it takes `::` at the start of a line, after blanks, and `##[` anywhere. Inside of
 * a JSON string the escape means the same text, and outside of one no `##[` can stand.
 */
export function withoutCommands(text: string): string {
  return text.replace(/^([\s\u0085]*)::/gmu, '$1:\u200b:').replaceAll('##[', isJson(text) ? '##\\u005b' : '##\u200b[');
}

function isJson(text: string): boolean {
  return text.startsWith('{"');
}
