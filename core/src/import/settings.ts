/** What the file of another tool says of registries, as settings of ours: names of variables, and never what they hold. */
import { stringify } from 'yaml';
import { fields, text, type Fields } from '../config/fields.ts';
import type { Credential } from './credentials.ts';

/** Neither skopeo nor regsync scans or signs. */
const TRUST = [{ match: '*', level: 'copy' }];
const VARIABLE = /^\{\{\s*env\s+"([A-Za-z_]\w{0,127})"\s*\}\}$/;
/** A user name as it stands: no template that another tool would fill in. */
const NAME = /^[^:\s{}]{1,512}$/;
const HELPER = /^docker-credential-([A-Za-z0-9][\w.-]{0,63})$/;
const COMMENT = '# A mirror, as the file makes one: what is published is neither scanned nor signed.\n';

export function mirrorSettings(): string {
  return `${COMMENT}${stringify({ trust: TRUST })}`;
}

/** `all`: as the file has them; the last of one place counts. */
export function settingsOfRegsync(root: Fields, all: readonly Credential[]): string {
  const credentials = all.flatMap(({ fields: each, place, mirrors }, index) =>
    place === undefined || all.findLastIndex((one) => one.place === place) !== index ? [] : [{ each, place, mirrors }],
  );
  const registries = credentials.flatMap(({ each, place }) => {
    const login = loginOf(each);
    const own = { ...(login === undefined ? {} : { login }), ...ratesOf(each, place) };
    return Object.keys(own).length === 0 ? [] : [{ match: place, ...own }];
  });
  const reserve = whole(fields(fields(root['defaults'])['ratelimit'])['min'], 1_000_000);
  const hub = registries.findIndex(({ match }) => match === 'docker.io');
  const withReserve =
    reserve === undefined
      ? registries
      : hub < 0
        ? [...registries, { match: 'docker.io', reserve }]
        : registries.map((each, index) => (index === hub ? { ...each, reserve } : each));
  const plainHttp = credentials.filter(({ each }) => each['tls'] === 'disabled').map(({ place }) => hostOf(place));
  const mirrors = credentials.flatMap(({ place: source, mirrors: names }) =>
    names.flatMap(({ place: mirror }) => (mirror === undefined ? [] : [{ source, mirror }])),
  );
  return `${COMMENT}${stringify({
    trust: TRUST,
    ...(plainHttp.length === 0 ? {} : { plainHttp: [...new Set(plainHttp)] }),
    ...(mirrors.length === 0 ? {} : { mirrors }),
    ...(withReserve.length === 0 ? {} : { registries: withReserve }),
  })}`;
}

/** A name is taken over, a password is not. */
function loginOf(credential: Fields): Readonly<Record<string, string>> | undefined {
  const [user = '', pass = '', helper = ''] = ['user', 'pass', 'credHelper'].map((key) => text(credential[key]) ?? '');
  const name = HELPER.exec(helper)?.[1];
  if (name !== undefined) return { helper: name };
  const usernameEnv = VARIABLE.exec(user)?.[1];
  const passwordEnv = VARIABLE.exec(pass)?.[1];
  if (passwordEnv === undefined) return undefined;
  if (usernameEnv !== undefined) return { usernameEnv, passwordEnv };
  return NAME.test(user) ? { username: user, passwordEnv } : undefined;
}

/** Whether the settings have what a key of a credential says. */
export function isInSettings(key: string, credential: Fields, place: string): boolean {
  const login = Object.keys(loginOf(credential) ?? {});
  const rates = Object.keys(ratesOf(credential, place));
  switch (key) {
    case 'user':
    case 'pass':
      return login.includes('passwordEnv');
    case 'credHelper':
      return login.includes('helper');
    case 'reqPerSec':
      return rates.includes('requestsPerSecond');
    case 'reqConcurrent':
      return rates.includes('connections');
    default:
      return false;
  }
}

/** Our settings have both rates only for whole hosts. */
function ratesOf(credential: Fields, place: string): Readonly<Record<string, unknown>> {
  if (place.includes('/')) return {};
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

function hostOf(place: string): string {
  return place.split('/', 1)[0] ?? place;
}
