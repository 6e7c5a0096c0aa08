/** Takes secrets out of everything that is shown, kept or handed to a plugin. */
import { existsSync } from 'node:fs';

/** Calling it is for text that people read: known secrets, and what looks like credentials. */
export interface Redactor {
  (text: string): string;
  /** Known secrets only, for a tool's output that is read as data. */
  readonly values: (text: string) => string;
}

const MASK = '***';
/** Shorter ones would turn ordinary words into asterisks. */
const MIN_LENGTH = 6;
/** Secrets of several lines, as PEM keys, are also recognised line by line. */
const MIN_LINE = 16;
/** Characters of one pattern: V8 refuses one of some 60,000. */
const MAX_PATTERN = 16_384;

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/((?:proxy-)?authorization["']?\s*[:=]\s*["']?(?:(?:basic|bearer|token|digest)\s+)?)[^\s"',;]+/gi, `$1${MASK}`],
  [/\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}/gi, `$1${MASK}`],
  // The name holds no colon: a line of nothing but those would else be read once for each of them.
  [/(:\/\/)[^\s/@"':]*:[^\s/"']*@/g, `$1${MASK}@`],
  // A token is a name without a password to many hosts.
  [/(\bhttps?:\/\/)[^\s/@"'?#]+@/gi, `$1${MASK}@`],
  // Whoever knows such an address may do what it is for, and tools name it where that went wrong.
  [
    /([?&](?:x-(?:amz|goog)-(?:signature|credential|security-token)|signature|sig|(?:access_|refresh_|id_)?token|client_secret|api_?key|_state)=)[^\s&"'<>]+/gi,
    `$1${MASK}`,
  ],
];

/**
 * Replaces each secret of at least six characters, and its base64 and URL-encoded forms, by `***`.
 * The secrets are read once; the order in which they come does not matter.
 */
export function createRedactor(secrets: Iterable<string>): Redactor {
  const forms = new Set<string>();
  for (const secret of secrets) {
    for (const form of formsOf(secret)) forms.add(form);
  }
  // The longest first: one secret may begin with another.
  const known = patternsOf([...forms].sort((a, b) => b.length - a.length));
  const values = (text: string): string =>
    known.reduce<string>((rest, pattern) => rest.replaceAll(pattern, MASK), text);
  const redact = (text: string): string =>
    PATTERNS.reduce((rest, [pattern, mask]) => rest.replaceAll(pattern, mask), values(text));
  return Object.assign(redact, { values });
}

/** One that is told further secrets as they become known, as the logins of registries are. */
export function createLearningRedactor(secrets: Iterable<string>): {
  readonly redact: Redactor;
  readonly learnt: (secret: string) => void;
} {
  const known = new Set(secrets);
  let current = createRedactor(known);
  return {
    redact: Object.assign((text: string) => current(text), { values: (text: string) => current.values(text) }),
    learnt(secret) {
      if (known.has(secret)) return;
      known.add(secret);
      current = createRedactor(known);
    },
  };
}

function formsOf(secret: string): readonly string[] {
  const whole = secret.trim();
  const lines = whole.split(/\r?\n/).map((line) => line.trim());
  const parts = lines.length > 1 ? lines.filter((line) => line.length >= MIN_LINE && !line.startsWith('-----')) : [];
  const plain = [whole, ...parts].filter((part) => part.length >= MIN_LENGTH);
  return plain.flatMap((part) => [
    part,
    Buffer.from(part).toString('base64'),
    Buffer.from(part).toString('base64').replace(/=+$/, ''),
    Buffer.from(part).toString('base64url'),
    encode(part),
    JSON.stringify(part).slice(1, -1),
  ]);
}

/** As few as can be: each is one more walk through every text. */
function patternsOf(forms: readonly string[]): readonly (string | RegExp)[] {
  const groups: string[][] = [];
  let room = 0;
  for (const form of forms.filter(({ length }) => length <= MAX_PATTERN)) {
    if (form.length > room) {
      groups.push([]);
      room = MAX_PATTERN;
    }
    groups.at(-1)?.push(form);
    room -= form.length;
  }
  const patterns = groups.map((group) => new RegExp(group.map((form) => escape(form)).join('|'), 'g'));
  return [...forms.filter(({ length }) => length > MAX_PATTERN), ...patterns];
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}

function encode(text: string): string {
  // A lone surrogate has no URL-encoded form.
  return text.isWellFormed() ? encodeURIComponent(text) : text;
}

const SECRET_NAME =
  /TOKEN|PASSW(?:OR)?D|PASSPHRASE|SECRET|CREDENTIAL|PRIVATE|API_?KEY|ACCESS_?KEY|AUTH|(?:^|_)(?:KEY|PAT|PASS|PWD)(?:$|_)/i;
const PLACE_NAME = /(?:PATH|FILE|DIR|FOLDER|HOME|URL|URI|HOST|SOCK|NAME|USER|(?<!SECRET_)ID|COMMAND|TYPE|PROGRAM)$/i;

/** Values of the variables whose names say that they hold a secret, and not where one lies. */
export function secretsFromEnv(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return Object.entries(env).flatMap(([name, value]) => {
    if (value === undefined || value.length < MIN_LENGTH || !SECRET_NAME.test(name) || PLACE_NAME.test(name)) {
      return [];
    }
    // `PWD` and its like name folders whatever they are called.
    return name === 'PWD' || name === 'OLDPWD' || isPlace(value) ? [] : [value];
  });
}

/** Of keys in base64 one in 64 begins as a path does; but none has a dot. */
function isPlace(value: string): boolean {
  return value.startsWith('/') && (/^[\w/.-]*\.\w+$/.test(value) || existsSync(value));
}
