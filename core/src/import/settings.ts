/** What the file of another tool says of registries, as settings of ours: names of variables, and never what they hold. */
import { stringify } from 'yaml';
import { fields, items, text, type Fields } from '../config/fields.ts';
import { parseRepository } from '../reference.ts';
import { listed } from './source-file.ts';

/** Neither skopeo nor regsync scans or signs. */
const TRUST = [{ match: '*', level: 'copy' }];
const VARIABLE = /^\{\{\s*env\s+"([A-Za-z_]\w*)"\s*\}\}$/;
const HELPER = /^docker-credential-([A-Za-z0-9][\w.-]*)$/;
const COMMENT = '# A mirror, as the file makes one: what is published is neither scanned nor signed.\n';

export function mirrorSettings(): string {
  return `${COMMENT}${stringify({ trust: TRUST })}`;
}

/** `nameOf`: a registry's name with its variables filled in. */
export function settingsOfRegsync(root: Fields, nameOf: (written: string) => string): string {
  const named = listed(root['creds'])
    .map(fields)
    .map((each) => ({ each, match: nameOf(text(each['registry']) ?? '') }));
  // The last of one name counts.
  const credentials = named.filter(
    ({ match }, index) =>
      parseRepository(`${match}/x`).ok && named.findLastIndex((one) => one.match === match) === index,
  );
  const registries = credentials.flatMap(({ each, match }) => {
    const own = { ...loginOf(each), ...ratesOf(each) };
    return Object.keys(own).length === 0 ? [] : [{ match, ...own }];
  });
  const reserve = whole(fields(fields(root['defaults'])['ratelimit'])['min'], 1_000_000);
  const hub = registries.findIndex(({ match }) => match === 'docker.io');
  const all =
    reserve === undefined
      ? registries
      : hub < 0
        ? [...registries, { match: 'docker.io', reserve }]
        : registries.map((each, index) => (index === hub ? { ...each, reserve } : each));
  const plainHttp = credentials.filter(({ each }) => each['tls'] === 'disabled').map(({ match }) => hostOf(match));
  const mirrors = credentials.flatMap(({ each, match }) =>
    items(each['mirrors']).flatMap((mirror) => (typeof mirror === 'string' ? [{ source: match, mirror }] : [])),
  );
  return `${COMMENT}${stringify({
    trust: TRUST,
    ...(plainHttp.length === 0 ? {} : { plainHttp: [...new Set(plainHttp)] }),
    ...(mirrors.length === 0 ? {} : { mirrors }),
    ...(all.length === 0 ? {} : { registries: all }),
  })}`;
}

function loginOf(credential: Fields): Readonly<Record<string, unknown>> {
  const [user, pass, helper] = ['user', 'pass', 'credHelper'].map((key) => text(credential[key]) ?? '');
  const name = HELPER.exec(helper ?? '')?.[1];
  if (name !== undefined) return { login: { helper: name } };
  const usernameEnv = VARIABLE.exec(user ?? '')?.[1];
  const passwordEnv = VARIABLE.exec(pass ?? '')?.[1];
  return usernameEnv === undefined || passwordEnv === undefined ? {} : { login: { usernameEnv, passwordEnv } };
}

/** Both are of a whole host. */
function ratesOf(credential: Fields): Readonly<Record<string, unknown>> {
  if ((text(credential['registry']) ?? '').includes('/')) return {};
  const connections = whole(credential['reqConcurrent'], 256);
  const requestsPerSecond = whole(credential['reqPerSec'], 10_000);
  return {
    ...(connections === undefined ? {} : { connections }),
    ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
  };
}

function whole(value: unknown, most: number): number | undefined {
  const number = typeof value === 'string' ? Math.floor(Number(value)) : Number.NaN;
  return number >= 1 ? Math.min(number, most) : undefined;
}

function hostOf(match: string): string {
  return match.split('/', 1)[0] ?? match;
}
