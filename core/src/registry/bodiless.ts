/** HEAD, which is most of what an unchanged image costs: without the stream that undici makes for each answer. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Dispatcher } from 'undici';

export interface BodilessAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
}

/** Throws what undici throws. `live` holds what is under way, to be aborted from outside. */
export function sendBodiless(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  live: Set<(reason: Error) => void>,
): Promise<BodilessAnswer> {
  return new Promise((resolve, reject) => {
    let answer: BodilessAnswer | undefined;
    let abort: ((reason: Error) => void) | undefined;
    const end = (): void => {
      if (abort !== undefined) live.delete(abort);
    };
    dispatcher.dispatch(options, {
      onRequestStart(controller) {
        end();
        abort = (reason) => controller.abort(reason);
        live.add(abort);
      },
      onResponseStart(_, status, headers) {
        if (status >= 200) answer = { status, headers };
      },
      onResponseData() {},
      onResponseEnd() {
        end();
        if (answer === undefined) reject(new Error('an answer without a status'));
        else resolve(answer);
      },
      onResponseError(_, error) {
        end();
        reject(error);
      },
    });
  });
}
