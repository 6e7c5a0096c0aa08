/** What a run leaves behind of an upload in case it is killed, so that a later one goes on where the registry has stopped. */
import type { Descriptor } from '../oci/model.ts';
import type { Repository } from '../reference.ts';

/**
 * Kept by repository and digest. The address of an upload is a secret: whoever knows it can write to it. How much the registry has
 * is not kept: only the registry knows.
 */
export interface UploadRecords {
  /** The address of an upload that a run which is gone has begun. It is taken: the next one to ask gets nothing. */
  take(repository: Repository, descriptor: Descriptor): Promise<string | undefined>;
  put(repository: Repository, descriptor: Descriptor, url: string): Promise<void>;
  remove(repository: Repository, descriptor: Descriptor): Promise<void>;
}
