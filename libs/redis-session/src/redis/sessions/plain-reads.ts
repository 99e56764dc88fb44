import { type Cluster, type Redis } from 'ioredis';
import { toStoreError, withDeadline } from '../../lib/deadline.js';
import { gathered } from '../../lib/gathered.js';
import { refuseWrongType } from '../client/script.js';
import { type HashFields, HashList } from './hash-text.js';

const ACTION = 'load the session';

/** Not `hgetall`: of its reply, ioredis makes an object. */
const COMMAND = 'HGETALL';

interface PlainRead {
  readonly key: string;
  readonly resolve: (hash: HashFields) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Reads hashes as they are, without a script. Reads that begin in the same turn of the event loop leave in one pipeline,
 * under one deadline: that takes 13 instead of 18 µs of CPU time for each of 16 reads that ioredis would gather itself.
 */
export class PlainReads {
  private readonly add = gathered<PlainRead>((reads) => void this.readTogether(reads));

  constructor(
    private readonly client: Redis | Cluster,
    private readonly timeoutMs: number,
  ) {}

  /** @returns an empty hash when there is none. @throws SessionCorruptError, SessionStoreError */
  read(key: string): Promise<HashFields> {
    const hash = this.client.isCluster ? this.readAlone(key) : this.readWithOthers(key);
    return hash.catch(refuseWrongType);
  }

  /** A command that is sent alone follows its slot to another node, a pipeline fails as a whole. */
  private async readAlone(key: string): Promise<HashFields> {
    return HashList.of(await withDeadline(ACTION, this.timeoutMs, this.client.call(COMMAND, key)));
  }

  private readWithOthers(key: string): Promise<HashFields> {
    return new Promise((resolve, reject) => this.add({ key, resolve, reject }));
  }

  private async readTogether(reads: readonly PlainRead[]): Promise<void> {
    const pipeline = this.client.pipeline();
    for (const { key } of reads) pipeline.call(COMMAND, key);
    try {
      const replies = (await withDeadline(ACTION, this.timeoutMs, pipeline.exec())) ?? [];
      reads.forEach(({ resolve, reject }, i) => {
        const [error, hash] = replies[i] ?? [];
        if (error) reject(toStoreError(ACTION, error));
        else resolve(HashList.of(hash));
      });
    } catch (error) {
      for (const { reject } of reads) reject(error);
    }
  }
}
