/** Where apko and melange files say that packages and their keys are. */

/** Where CI mounts the checkout in the reference set-up; configs written for it name files below it. */
export const CHECKOUT = '/github/workspace/';

/** A path as it is relative to the root. */
export function inCheckout(path: string): string {
  return path.startsWith(CHECKOUT) ? path.slice(CHECKOUT.length) : path;
}

export function isRemote(location: string): boolean {
  return /^https?:\/\//.test(location);
}

/** Where packages come from is told in logs, in packages and in what is attached to images. */
export function holdsLogin(location: string): boolean {
  const url = isRemote(location) ? URL.parse(location) : null;
  return url !== null && (url.username !== '' || url.password !== '');
}
