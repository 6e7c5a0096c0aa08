/** Secrets for steps of a Dockerfile: their values reach buildx by its environment or by a file, never by an argument. */
import { configFailure, fail, ok, readRegular, type Result } from '@slipway/core';
import { access, constants } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { DockerOptions } from './options.ts';

/** Bytes of a file whose text is kept out of what is shown: a variable holds 128 KiB, and what is no text becomes three times as long. */
const MAX_KNOWN = 32 * 1024;

interface Secrets {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A `config` failure when one of them is not there. `root`: the config's folder. */
export async function findSecrets(
  secrets: DockerOptions['secrets'],
  root: string,
  ours: Readonly<Record<string, string | undefined>> = process.env,
): Promise<Result<Secrets>> {
  const args: string[] = [];
  const env: Record<string, string> = {};
  for (const [index, [id, source]] of Object.entries(secrets).entries()) {
    if ('env' in source) {
      const value = ours[source.env];
      if (value === undefined) {
        return fail(
          configFailure(
            `the build secret "${id}" comes from the environment variable ${source.env}, which is not set`,
            `set ${source.env}`,
          ),
        );
      }
      // A name of our own: the user's could be one that changes what buildx does.
      const name = `SLIPWAY_BUILD_SECRET_${index}`;
      env[name] = value;
      args.push('--secret', `id=${id},env=${name}`);
    } else {
      const file = resolve(root, source.file);
      if (!(await readable(file))) {
        return fail(
          configFailure(
            `the build secret "${id}" comes from the file ${source.file}, which cannot be read`,
            'relative paths start at the folder of config.yaml',
          ),
        );
      }
      // Not for buildx: what is handed over so is known for a secret where the build prints it.
      const text = readRegular(file, MAX_KNOWN);
      if (text !== undefined && !text.includes('\0')) env[`SLIPWAY_BUILD_SECRET_${index}`] = text;
      // One record of CSV, in which a path may hold commas and quotes.
      args.push('--secret', `id=${id},"src=${file.replaceAll('"', '""')}"`);
    }
  }
  return ok({ args, env });
}

async function readable(file: string): Promise<boolean> {
  try {
    await access(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
