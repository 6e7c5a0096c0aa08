/**
 * The traps that registries set, and the test that holds each: `[file, title]`. A title of a `describe` stands for all in it.
 * `table.test.ts` fails when one is gone.
 */

export interface Trap {
  readonly number: number;
  readonly trap: string;
  /** Paths from the top of the repository. */
  readonly held: readonly (readonly [file: string, title: string])[];
}

const CONTENT = 'core/src/registry/traps/content.test.ts';
const UPLOAD = 'core/src/registry/traps/upload.test.ts';
const LIES = 'core/src/registry/traps/lies.test.ts';
const ENDLESS = 'core/src/registry/traps/endless.test.ts';
const LIMITS = 'core/src/registry/traps/limits.test.ts';
const AUTH = 'core/src/registry/auth.test.ts';
const AUTH_TRAPS = 'core/src/registry/auth-traps.test.ts';
const CREDENTIALS = 'core/src/registry/credentials.test.ts';
const RESUME = 'core/src/registry/resume.test.ts';
const HTTP = 'core/src/registry/http.test.ts';
const ATTACH = 'core/src/registry/attach.test.ts';
const LANES = 'core/src/registry/lanes.test.ts';
const TAGS = 'core/src/registry/tags.test.ts';
const RETRY = 'core/src/registry/retry.test.ts';
const ADDRESS = 'core/src/registry/address.test.ts';
const PARSE = 'core/src/oci/parse.test.ts';
const IMAGE = 'core/src/run/steps/image.test.ts';
const SUBSET = 'core/src/oci/subset.test.ts';

export const traps: readonly Trap[] = [
  trap(1, 'no Docker-Content-Digest, or a wrong one', [CONTENT, '1: a registry that does not say digests']),
  trap(2, 'another manifest for another Accept', [CONTENT, '2: every request for a manifest accepts the same']),
  trap(3, 'Docker schema 1', [CONTENT, '3: a manifest of Docker’s schema 1 is refused']),
  trap(4, 'kinds of indexes and artifacts', [CONTENT, '4: every kind of index and manifest is copied']),
  trap(5, 'bytes that change when they are written again', [CONTENT, '5: bytes that are not as anybody would write']),
  trap(
    6,
    'a platform subset has another digest each time, or holds nothing',
    [SUBSET, 'gives the same bytes each time'],
    [SUBSET, 'says what is missing, and all that there is'],
  ),
  trap(7, 'sparse indexes', [CONTENT, '7: an index whose children are missing fails']),
  trap(8, 'foreign layers, and credentials for their hosts', [CONTENT, '8: layers that are published elsewhere']),
  trap(9, 'sha512 and unknown algorithms', [CONTENT, '9: digests of other algorithms']),
  trap(10, 'large manifests', [CONTENT, '10: manifests that are too large']),
  trap(11, 'Content-Type with parameters, or against the body', [CONTENT, '11: the type of a manifest']),
  trap(12, 'a tag that moves between two requests', [CONTENT, '12: a tag that moves while it is copied']),
  trap(13, 'order, and parts that are seen late', [CONTENT, '13: a manifest whose parts the destination']),
  trap(
    14,
    'challenges and tokens of many forms',
    [AUTH, 'challenges are read with commas in quotes, several at once'],
    [AUTH_TRAPS, 'trap 14: challenges'],
    [AUTH_TRAPS, 'trap 14: tokens'],
  ),
  trap(
    15,
    'tokens for several repositories at once',
    [UPLOAD, '15: tokens are for one repository each'],
    [AUTH_TRAPS, 'trap 15: scopes'],
  ),
  trap(
    16,
    'credentials across redirects',
    [UPLOAD, '16: storage that a registry sends us to'],
    [HTTP, 'are followed to another host, which sees no credentials'],
    [AUTH_TRAPS, 'trap 16: what another host answers'],
  ),
  trap(17, 'signed addresses that expire', [UPLOAD, '17: an address of storage that is no longer good']),
  trap(
    18,
    'the names of Docker Hub',
    [CREDENTIALS, 'the alias of Docker Hub'],
    [LIMITS, '18: Docker Hub is spoken to'],
    [AUTH_TRAPS, 'trap 18: a login that is not accepted'],
  ),
  trap(
    19,
    'ways to say that something is not there',
    [UPLOAD, '19: ways to say that something is not there'],
    [AUTH_TRAPS, 'trap 19: 403 for what we are about to write'],
  ),
  trap(20, 'where uploads go', [UPLOAD, '20: where an upload goes']),
  trap(21, 'types and lengths of bodies', [UPLOAD, '21: what is sent says its type and its length']),
  trap(22, 'registries that take no parts', [UPLOAD, '22: a registry that takes no parts gets each blob whole']),
  trap(
    23,
    'going on after a break',
    [UPLOAD, '23: what breaks off goes on where it was'],
    [RESUME, 'asks again for the offset when the registry has another one'],
  ),
  trap(24, 'uploads that stay open', [UPLOAD, '24: an upload that fails for good is cancelled']),
  trap(25, 'mounts that are refused', [UPLOAD, '25: mounting from another repository of the host']),
  trap(26, 'repositories that must be made first', [UPLOAD, '26: a repository that has to be made first']),
  trap(27, 'uploads that idle while the source is slow', [UPLOAD, '27: an upload that was given up']),
  trap(28, 'too many requests, of two kinds', [LIMITS, '28: too many requests']),
  trap(29, 'kept connections that were closed', [LIMITS, '29: a connection that was closed meanwhile']),
  trap(
    30,
    'lists of tags',
    [LIMITS, '30: lists of tags'],
    [TAGS, 'a full page without a link is followed by what comes after its last name'],
  ),
  trap(
    31,
    'lists of referrers',
    [LIMITS, '31: lists of referrers'],
    [ATTACH, 'is written again when another writer elsewhere has overwritten it'],
  ),
  trap(
    32,
    'signatures in both layouts',
    ['test/legacy.test.ts', 'keeps the signatures of others in the same tag'],
    ['test/chain/upstream-referrers.test.ts', 'all of it, what refers to that'],
  ),
  trap(33, 'warnings', [LIMITS, '33: a warning of a registry is shown once']),
  trap(
    34,
    'tags that cannot be changed',
    [LIMITS, '34: a registry whose tags cannot be changed'],
    [LANES, 'requests begin at the pace that is set'],
  ),
  trap(
    35,
    'what only Node has to mind',
    [LIMITS, '35: what only Node has to mind'],
    [HTTP, 'other hosts are asked through the proxy of the environment'],
  ),
  trap(36, 'answers that repeat what is secret', [LIES, '36: an answer that repeats what is secret']),
  trap(37, 'success that is none', [LIES, '37: success that is none']),
  trap(38, 'answers that trickle, or never begin', [ENDLESS, '38: an answer that trickles']),
  trap(
    39,
    'lists and images without end',
    [ENDLESS, '39: lists and images without end'],
    [IMAGE, 'of indexes that each name the next a thousand times'],
    [SUBSET, 'opens an index once that is named a thousand times'],
  ),
  trap(
    40,
    'waits of ages, or again and again',
    [RETRY, 'waits of ages'],
    [LANES, 'a host that has refused all for minutes'],
  ),
  trap(41, 'bytes that two readers understand differently', [PARSE, 'what two readers understand differently']),
  trap(42, 'private addresses in other clothes', [ADDRESS, 'private addresses, also in other clothes']),
];

function trap(number: number, text: string, ...held: Trap['held']): Trap {
  return { number, trap: text, held };
}
