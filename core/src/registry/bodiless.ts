/** HEAD requests, without the stream that undici makes for each answer: they are most of what an unchanged image costs. */
import type { Dispatcher } from 'undici';

/** By their names in small letters. */
export type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface BodilessAnswer {
  readonly status: number;
  readonly headers: Headers;
}

/** Throws what undici throws. */
export function sendBodiless(
  dispatcher: Dispatcher,
  options: Dispatcher.DispatchOptions,
  live: Live,
): Promise<BodilessAnswer> {
  return new Promise((resolve, reject) => {
    let answer: BodilessAnswer | undefined;
    let abort: ((reason: Error) => void) | undefined;
    const announced = createAnnouncements();
    const cancel = (reason: Error): void => {
      abort?.(reason);
      reject(reason);
    };
    live.add(cancel);
    dispatcher.dispatch(options, {
      onRequestStart(controller) {
        abort = (reason) => controller.abort(reason);
      },
      onResponseStart(_, status, headers) {
        if (status >= 200) answer = { status, headers };
        else announced();
      },
      onResponseData() {},
      onResponseEnd() {
        live.delete(cancel);
        if (answer === undefined) reject(new Error('an answer without a status'));
        else resolve(answer);
      },
      onResponseError(_, error) {
        live.delete(cancel);
        reject(error);
      },
    });
  });
}

/** Functions that end the requests under way. undici itself does not end those that still wait for a connection. */
export type Live = Set<(reason: Error) => void>;

/** The same promise, which also ends when all that is under way is ended. */
export function endedBy<T>(live: Live, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    live.add(reject);
    promise.then(resolve, reject).finally(() => live.delete(reject));
  });
}

/** Interim answers (102 and 103) before the real one; no server needs more. */
const MAX_ANNOUNCEMENTS = 32;

/** To be called for each; throws when it is likely that nothing else will come. */
export function createAnnouncements(): () => void {
  let count = 0;
  return () => {
    count += 1;
    if (count > MAX_ANNOUNCEMENTS) throw Object.assign(new Error('announcements alone'), { code: 'ANNOUNCEMENTS' });
  };
}
