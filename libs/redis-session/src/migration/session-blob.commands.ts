import { withDeadline } from '../lib/store-operation.js';
import { replaceBlob } from '../redis/lua/scripts.generated.js';
import { type RedisClient } from '../redis/client/redis-client.js';
import {
  isWrongType,
  type Script,
  scriptOf,
  unknownOutcome,
  WriteDeadline,
} from '../redis/client/script.js';

interface BlobReplacement {
  /** The text that was read; undefined = there was none. */
  readonly seen: string | undefined;
  /** The new text; undefined deletes it. */
  readonly text: string | undefined;
  /** Ms; undefined = as before. */
  readonly ttlMs?: number | undefined;
}

/** Reads and replaces sessions that other libraries keep as strings, each command under a deadline. */
export class SessionBlobCommands {
  private readonly replaceBlob: Script;
  private readonly deadline: WriteDeadline;

  constructor(
    private readonly client: RedisClient,
    private readonly timeoutMs: number,
  ) {
    this.replaceBlob = scriptOf(client, 'nestSessionReplaceBlob', replaceBlob);
    this.deadline = new WriteDeadline(timeoutMs);
  }

  /** @returns undefined when there is none, `''` when the key holds something else than a string. @throws SessionStoreError */
  async read(key: string): Promise<string | undefined> {
    try {
      const text = await withDeadline('load the session', this.timeoutMs, this.client.get(key));
      return text ?? undefined;
    } catch (error) {
      if (isWrongType(error)) return '';
      throw error;
    }
  }

  /** The session lives for `ttlMs` from now on. @throws SessionStoreError */
  async renew(key: string, ttlMs: number): Promise<void> {
    await withDeadline('load the session', this.timeoutMs, this.client.pexpire(key, ttlMs));
  }

  /** @returns false when another one has changed it: nothing was written. @throws SessionStoreError */
  async replace(key: string, { seen, text, ttlMs }: BlobReplacement): Promise<boolean> {
    const [outcome] = await this.deadline.inTime('save the session', (latest) =>
      this.replaceBlob(key, latest, seen ?? '', text ?? '', ttlMs ?? ''),
    );
    if (outcome === 1) return true;
    if (outcome === -1) return false;
    throw unknownOutcome('replaceBlob', outcome);
  }
}
