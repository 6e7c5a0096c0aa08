/** `registries:` of the settings, once it is valid. */

/** Who we are at a registry, where Docker's config does not say so. */
export type RegistryLogin =
  | ({ readonly kind: 'env'; readonly passwordEnv: string } & (
      | { readonly usernameEnv: string }
      | { readonly username: string }
    ))
  | { readonly kind: 'dockerConfig'; /** Absolute path. */ readonly file: string }
  | { readonly kind: 'helper'; readonly name: string };

/** What is particular to a registry, or to a repository prefix in one, for which there is only a login. */
export interface RegistrySetting {
  /** `ghcr.io` or `ghcr.io/team-a`; unique. The longest that covers a repository counts. */
  readonly match: string;
  readonly login?: RegistryLogin;
  /** PEM texts: authorities that are trusted too, and our own certificate with its key. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** In place of `limits.host`. */
  readonly connections?: number;
  readonly requestsPerSecond?: number;
  /** Bytes a second. */
  readonly bandwidth?: number;
  /** Pulls that are left to others. */
  readonly reserve?: number;
  /** Without it a registry on loopback is spoken to in the clear, unless `ca` or `cert` is given for it; all others are not. */
  readonly plainHttp?: boolean;
}
