/** The part of proper-lockfile that is used here; the package brings no types. */
declare module 'proper-lockfile' {
  export interface LockOptions {
    /** Milliseconds without a sign of life after which a lock counts as left behind. */
    readonly stale?: number;
    /** Milliseconds between signs of life. */
    readonly update?: number;
    readonly onCompromised?: (error: Error) => void;
  }
  const lockfile: { lock(file: string, options?: LockOptions): Promise<() => Promise<void>> };
  export default lockfile;
}
