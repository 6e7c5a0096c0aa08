/** Whether what a plugin answered is data: keys are made of it, statements, and lines of the journal. */

/** Levels; no document that anybody writes has as many, and the writers of JSON call themselves for each. */
const DEEPEST = 200;

/** `undefined`: JSON can say all of it; otherwise one sentence's end on the first thing that it cannot. */
export function notData(value: unknown): string | undefined {
  const path: string[] = [];
  const problem = problemOf(value, path);
  return problem === undefined ? undefined : `${path.length === 0 ? 'it' : `"${path.join('/')}"`} ${problem}`;
}

/** `path` is where `value` stands, and at the end where the problem does. */
function problemOf(value: unknown, path: string[]): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `is ${value}, which is no data`;
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return undefined;
  if (typeof value !== 'object')
    return `is ${value === undefined ? 'undefined' : `a ${typeof value}`}, which is no data`;
  if (!Array.isArray(value) && kindOf(value) !== 'Object') return `is a ${kindOf(value)}, which is no data`;
  if (path.length === DEEPEST) {
    path.length = 1;
    return `holds itself, or more than ${DEEPEST} levels`;
  }
  for (const [key, part] of Object.entries(value)) {
    // In an object it is as if the key were not there.
    if (part === undefined && !Array.isArray(value)) continue;
    path.push(key);
    const problem = problemOf(part, path);
    if (problem !== undefined) return problem;
    path.pop();
  }
  return undefined;
}

/** `Date`, `Map`, `Uint8Array`: objects of whose content `JSON.stringify` or our keys would see nothing. */
function kindOf(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}
