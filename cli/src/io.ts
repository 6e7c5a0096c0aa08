/** The world as the command sees it, read once at the start: nothing below `main.ts` touches `process`. */
export interface Io {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Whether stderr is a terminal that can show a live view. */
  readonly terminal: boolean;
  /** Whether stdout is a terminal that shows colours, and nobody asked for none. */
  readonly color: boolean;
  readonly columns: () => number;
  readonly rows: () => number;
  /** Writes a command of GitHub Actions' runner; absent elsewhere. All else that is written can be no command there. */
  readonly workflow?: (text: string) => void;
  /** Aborted by SIGINT, SIGTERM or SIGHUP. */
  readonly interrupt: AbortSignal;
}
