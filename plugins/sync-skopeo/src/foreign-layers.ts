/** What skopeo cannot do whatever the image is: said of the plan, before anything runs. */
import { configFailure, type ConfigFailure, type Failure, type PreflightRequest } from '@slipway/core';

/** `what` completes "skopeo leaves the layers of …". */
export function leavesLayers(what: string, at?: ConfigFailure['at']): ConfigFailure {
  return configFailure(
    `skopeo leaves the layers of ${what} that registries only point to where they are`,
    'remove `use: { image.copy: sync-skopeo }` from the settings, or foreignLayers from the entry',
    at,
  );
}

export async function preflight({ tasks }: PreflightRequest): Promise<readonly Failure[]> {
  return tasks.flatMap(({ id, input, at }) => {
    const { foreignLayers } = input as { readonly foreignLayers?: boolean };
    return foreignLayers === true ? [leavesLayers(id.replace(/#copy$/, ''), at)] : [];
  });
}
