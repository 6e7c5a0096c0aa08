/** Keys of regsync that our config does not have: why not, and where they belong. */
import { quote } from '../config/quote.ts';
import type { Credential } from './credentials.ts';
import { isInSettings } from './settings.ts';
import { truth } from './source-file.ts';

/** What becomes of a key that no entry has. */
export interface Verdict {
  readonly why: string;
  /** False: it stands in the settings, or is not needed. */
  readonly lost: boolean;
}

const TIME = 'when a sync runs is for what starts it to say, as the schedule of a CI workflow';
const ELSEWHERE = 'how a registry is reached belongs into the settings (docs/settings.md)';
const MANNERS =
  'requests in flight adapt to what a registry bears, and its limits and Retry-After are kept without being told';

/** Keys of a step and of the defaults that are read elsewhere. */
const READ = [
  'source',
  'target',
  'type',
  'tags',
  'tagSets',
  'platform',
  'platforms',
  'digestTags',
  'referrers',
  'referrerFilters',
  'referrerSource',
  'referrerTarget',
  'includeExternal',
  'forceRecursive',
  'mediaTypes',
  'backup',
];

const WHY: Readonly<Record<string, string>> = {
  interval: TIME,
  schedule: TIME,
  repos: 'a whole registry is no source: repositories can be named, but not chosen by a pattern',
  skipDockerConfig:
    'set DOCKER_CONFIG and REGISTRY_AUTH_FILE to an empty folder to leave the logins of docker and podman out',
};

/** The same, for keys that are not needed. */
const NEEDLESS: Readonly<Record<string, string>> = {
  ratelimit: `${MANNERS}; pulls that are left to others are "reserve" of the registry in the settings`,
  parallel: `${MANNERS}; "limits" in the settings has the rest`,
  fastCheck:
    'nothing has to be said for it: an unchanged tag costs two requests; "always: true" looks at all that it names',
  fastCopy: 'regsync knows no such key and passes over it, though its site has it in an example: it means fastCheck',
  hooks: 'regsync never ran hooks; a plugin can (docs/plugins.md)',
  referrerSlow:
    'nothing has to be said for it: referrers are looked for by the API, and by tags where a registry has none',
  blobLimit: 'blobs are streamed, whatever their size',
  cacheCount: 'what was read once in a run is not read again, without being told',
  cacheTime: 'what was read once in a run is not read again, without being told',
  userAgent: 'it is always slipway and its version',
};

const LOGIN = 'use "docker login", or "login" of the registry in the settings';

const CREDENTIALS: Readonly<Record<string, string>> = {
  user: `who logs in is not said in a config: ${LOGIN}`,
  pass: `secrets do not belong into a config, and none was taken over: ${LOGIN}`,
  token: `secrets do not belong into a config, and none was taken over: ${LOGIN}`,
  credHelper: `who logs in is not said in a config: ${LOGIN}`,
};

/** Key → the key of a registry in the settings. */
const OF_REGISTRY: Readonly<Record<string, string>> = {
  regcert: 'ca',
  clientCert: 'cert',
  clientKey: 'key',
  reqPerSec: 'requestsPerSecond',
  reqConcurrent: 'connections',
};

const NOT_NEEDED = ['repoAuth', 'blobChunk', 'blobMax', 'credExpire', 'priority', 'api', 'apiOpts'];

/** `undefined`: it is read, or changes nothing. */
export function whyNot(key: string, value: unknown): Verdict | undefined {
  if (READ.includes(key) || key.startsWith('x-')) return undefined;
  // What is switched off needs no equivalent.
  if (truth(value) === false) return undefined;
  const needless = NEEDLESS[key];
  return needless === undefined ? lost(WHY[key] ?? 'regsync has no such key that is known here') : kept(needless);
}

/** Of a key of one of `creds`. */
export function whyCredential(key: string, value: unknown, credential: Credential): Verdict | undefined {
  const { fields, name, unset, place, moved } = credential;
  if (key.startsWith('x-')) return undefined;
  if (place === undefined) {
    if (key !== 'registry') return undefined;
    const why =
      unset.length > 0
        ? `where it is needs ${unset.join(', ')}, not set in the environment`
        : `${quote(name)} is no host, and no "hostname" says where it is`;
    return lost(`${why}: nothing of it is in the settings`);
  }
  if (key === 'registry') return undefined;
  if (key === 'tls') {
    if (value === 'enabled') return undefined;
    return value === 'disabled'
      ? kept(`it belongs into the settings: plainHttp: [${JSON.stringify(place.split('/', 1)[0])}]`)
      : lost('a registry that is not to be verified has no place in the settings: name its authority there, as "ca"');
  }
  if (key === 'mirrors') return whyMirrors(credential);
  // Read where it is a mirror, or else the name of one.
  if (moved && (key === 'hostname' || key === 'pathPrefix')) return undefined;
  if (NOT_NEEDED.includes(key)) return truth(value) === false ? undefined : kept(MANNERS);
  const setting = OF_REGISTRY[key];
  const item = `registries: [{ match: ${place}, ${setting ?? 'login'}: … }]`;
  if (isInSettings(key, fields, place)) return kept(`it belongs into the settings, and stands there: ${item}`);
  if (setting !== undefined) return lost(`it belongs into the settings: ${item}`);
  return lost(CREDENTIALS[key] ?? ELSEWHERE);
}

function whyMirrors({ place, mirrors }: Credential): Verdict {
  const found = mirrors.filter((mirror) => mirror.place !== undefined);
  const nowhere = mirrors.filter((mirror) => mirror.place === undefined).map(({ name }) => quote(name));
  const items = found.map((mirror) => `{ source: ${place}, mirror: ${mirror.place} }`);
  const why = [
    ...(items.length === 0 ? [] : [`they belong into the settings: mirrors: [${items.join(', ')}]`]),
    ...(nowhere.length === 0 ? [] : [`left out: ${nowhere.join(', ')}, of which nothing says at which host it is`]),
  ].join('; ');
  return { why, lost: nowhere.length > 0 };
}

export function lost(why: string): Verdict {
  return { why, lost: true };
}

export function kept(why: string): Verdict {
  return { why, lost: false };
}
