/** How tools are found and started, apart from who starts them. */
import type { Result } from '../failure.ts';
import type { ToolNeed } from '../plugin/api.ts';

/** What is told of a tool that was started. */
export interface UsedTool {
  readonly name: string;
  /** As `1.2.37`, without a leading `v`. */
  readonly version: string;
}

export interface FoundTool extends UsedTool {
  /** Absolute. */
  readonly path: string;
}

/** From PATH when the version is in range, else from the cache of built tools; never installs. */
export interface ToolFinder {
  /** A `missing-tool` failure says which command installs it. */
  find(need: ToolNeed): Promise<Result<FoundTool>>;
}
