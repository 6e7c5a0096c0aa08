/** `tools install`: builds missing tools from their pinned modules; `run` itself never does. */
import { catalogue, installTools, type InstallProgress } from '@slipway/tools';
import { answer, EXIT, refuse } from '../answer.ts';
import type { Io } from '../io.ts';

export async function toolsInstallCommand(
  io: Io,
  names: readonly string[],
  { json }: { readonly json: boolean },
): Promise<number> {
  const wanted = names.length === 0 ? catalogue.filter(({ kind }) => kind === 'run').map(({ name }) => name) : names;
  const installed = await installTools({
    names: wanted,
    env: io.env,
    signal: io.interrupt,
    onProgress: (progress) => io.stderr(`${describe(progress)}\n`),
  });
  if (!installed.ok) return refuse(io, json, 'tools install', [installed.failure]);
  const tools = installed.value.map(({ name, version, path }) => ({ name, version, path }));
  return answer(io, json, 'tools install', EXIT.done, { tools }, () =>
    tools.map(({ name, version, path }) => `${name} ${version} ${path}\n`).join(''),
  );
}

function describe({ state, tool, index, total, seconds, expectedSeconds }: InstallProgress): string {
  switch (state) {
    case 'waiting':
      return 'another slipway is building tools: waiting for it';
    case 'building':
      return `[${index}/${total}] building ${tool}: ${Math.round(seconds)} s of about ${expectedSeconds} s`;
    case 'built':
      return `[${index}/${total}] built ${tool} in ${Math.round(seconds)} s`;
  }
}
