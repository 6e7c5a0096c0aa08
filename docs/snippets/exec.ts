/** How a plugin runs a tool that its `needs.tools` declares. */
import { formatPinned, ok } from '@slipway/core';
import type { Pinned, Result, TaskContext } from '@slipway/core';
import { join } from 'node:path';

/** Pulls an image into a layout below the task's own folder. */
export async function pull(image: Pinned, context: TaskContext): Promise<Result<string>> {
  const layout = join(context.files.work, 'pulled');
  const insecure = context.plainHttp(image.registry) ? ['--insecure'] : [];
  const done = await context.exec('crane', ['pull', ...insecure, '--format', 'oci', formatPinned(image), layout], {
    // Only the credentials of this host are in the tool's DOCKER_CONFIG.
    hosts: [image.registry],
    timeout: 10 * 60_000,
  });
  return done.ok ? ok(layout) : done;
}
