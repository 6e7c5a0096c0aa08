/** What a tool may see of our environment: an allow-list, and folders of the run in place of the user's. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type Variables = Readonly<Record<string, string | undefined>>;

const ALLOWED: readonly string[] = [
  'PATH',
  'LANG',
  'LC_ALL',
  'TZ',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
];

export interface ToolFolders {
  /** Stands in for the user's home, whose dotfiles could change what a tool does. */
  readonly home: string;
  readonly tmp: string;
  readonly dockerConfig: string;
}

/**
 * Allowed variables, those that the plugin declared, those of this one call; our own folders always win, except HOME, which a
 * call may point to a folder of the plugin's.
 */
export function toolEnvironment(
  ours: Variables,
  declared: readonly string[],
  call: Readonly<Record<string, string>>,
  folders: ToolFolders,
): Readonly<Record<string, string>> {
  const inherited = [...ALLOWED, ...declared].flatMap((name) => {
    const value = ours[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return {
    ...Object.fromEntries(inherited),
    HOME: folders.home,
    ...call,
    TMPDIR: folders.tmp,
    DOCKER_CONFIG: folders.dockerConfig,
    // What skopeo, podman and buildah read; without it the user's own logins below /run would come first.
    REGISTRY_AUTH_FILE: join(folders.dockerConfig, 'config.json'),
  };
}

/** A `config.json` as Docker's: https://github.com/docker/cli/blob/v28.0.0/man/docker-config-json.5.md */
export interface DockerConfig {
  readonly auths: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/**
 * A folder with nothing but these credentials, readable by us alone; the caller removes it. Both are made at once: handing
 * such calls to another thread takes longer than they do.
 */
export function writeDockerConfig(tmpFolder: string, config: DockerConfig): string {
  const folder = mkdtempSync(join(tmpFolder, 'docker-'));
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config), { mode: 0o600, flag: 'wx' });
  return folder;
}
