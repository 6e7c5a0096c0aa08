/** A plan for the engines of others: asks the owner of a format for the files that run it there. Pure: it writes none. */
import type { Settings, Signing } from '../config/settings-model.ts';
import { variableIn } from '../config/variable.ts';
import type { Result } from '../failure.ts';
import type { TaskContext } from '../plugin/api.ts';
import type { EmitContext, EmitInput, EmitOutput, EmitSigner } from '../plugin/emit-api.ts';
import type { Host } from '../plugin/host.ts';

/** Paths from the root of the checkout, with `/`. */
export interface EmitPaths {
  readonly config: string;
  readonly settings?: string;
}

/** What a workflow must know of the settings: names of secrets, never their values. */
export function emitContext(settings: Settings, paths: EmitPaths): EmitContext {
  const { signing, scratch } = settings;
  return {
    main: settings.main,
    ...paths,
    together: settings.publish === 'together',
    production: signerOf(signing),
    ...(scratch === undefined ? {} : { scratch: signerOf(scratch) }),
    secrets: secretNames([
      ...settings.registries.flatMap(({ login }) =>
        login?.kind === 'env' ? [...('usernameEnv' in login ? [login.usernameEnv] : []), login.passwordEnv] : [],
      ),
      ...settings.plugins.flatMap(({ options }) => namesIn(options)),
    ]),
    logins: settings.registries.flatMap(({ match, login }) => (login === undefined ? [] : [match])).toSorted(),
  };
}

function signerOf(signing: Signing | undefined): EmitSigner {
  if (signing === undefined) return { keyless: false, secrets: [] };
  const { key, identityTokenEnv } = signing;
  if (key === undefined) {
    return {
      keyless: identityTokenEnv === undefined,
      secrets: secretNames(identityTokenEnv ? [identityTokenEnv] : []),
      identities: signing.accept.filter((one) => one.kind === 'identity'),
    };
  }
  // A key that a service keeps has no password of ours.
  const isService = key.includes('://') && variableIn(key) === undefined;
  return { keyless: false, secrets: isService ? [] : secretNames([...namesIn(key), 'COSIGN_PASSWORD']) };
}

/** Variables that options name, as `env://NAME` or `{ env: NAME }`. */
function namesIn(value: unknown): readonly string[] {
  if (typeof value === 'string') {
    const name = variableIn(value);
    return name === undefined ? [] : [name];
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]: readonly [string, unknown]) =>
    key === 'env' && typeof inner === 'string' ? [inner] : namesIn(inner),
  );
}

/**
 * Of these variables the ones that a secret can be named after, sorted, each once. The runner itself sets all that begin with `GITHUB_`
 * except the token, and a text that is not the name of a variable is not the name of a secret either.
 */
function secretNames(names: readonly string[]): readonly string[] {
  const usable = names.filter(
    (name) => /^[A-Za-z_][A-Za-z0-9_]{0,199}$/.test(name) && (name === 'GITHUB_TOKEN' || !name.startsWith('GITHUB_')),
  );
  return [...new Set(usable)].toSorted();
}

/** `root`: the config's folder. An emitter turns data into data: it gets no tool, no registry, and no folder to write to. */
export function emitPlan(
  host: Host,
  format: string,
  input: EmitInput,
  surroundings: Pick<TaskContext, 'log' | 'signal'> & { readonly root: string },
): Promise<Result<EmitOutput>> {
  const none = (what: string): never => {
    throw new Error(`an emitter is given no ${what}`);
  };
  const context: TaskContext = {
    log: surroundings.log,
    signal: surroundings.signal,
    exec: async () => none('tool'),
    toolVersion: async () => none('tool'),
    fetchJson: async () => none('network'),
    plainHttp: () => false,
    progress: () => {},
    get registry() {
      return none('registry');
    },
    files: {
      root: surroundings.root,
      get work() {
        return none('folder to write to');
      },
      get shared() {
        return none('folder to write to');
      },
      get cache() {
        return none('folder to write to');
      },
    },
  };
  return host.emitPlan(format, input, context);
}
