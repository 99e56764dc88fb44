import { NoAnswerError, withDeadline } from '../lib/store-operation.js';
import { SessionEncodingError, SessionStoreError } from '../session/session.errors.js';

/** What every command is given. */
export interface CommandLimits {
  /** Ms after which the server gives up: a command whose caller has given up changes nothing any more. */
  readonly maxTimeMS: number;
}

/** To be called before each command of an operation. @throws SessionStoreError when nobody waits for the operation any more */
export type NextCommand = () => CommandLimits;

/** `BSONObjectTooLarge`, `InvalidBSON` of a document that grew, and what the driver says before it sends one. */
const TOO_LARGE: readonly unknown[] = [10334, 17419, 17420, 'ERR_OUT_OF_RANGE'];

/** `MaxTimeMSExpired` */
const TIMEOUT = 50;

/** Has operations on MongoDB end in time, whatever the driver, the network and the server do. */
export class DeadlineRunner {
  /** Whether the application has shut down: no background work goes on. */
  isClosed = false;

  constructor(readonly timeoutMs: number) {}

  /**
   * @param action - for the error, such as `read the session`
   * @throws SessionStoreError, SessionEncodingError for a session that is too large, and what `work` throws of the library
   */
  run<T>(action: string, work: (next: NextCommand) => Promise<T>): Promise<T> {
    const endMs = performance.now() + this.timeoutMs;
    const next: NextCommand = () => {
      const leftMs = Math.ceil(endMs - performance.now());
      if (leftMs <= 0) throw new NoAnswerError(`no answer within ${this.timeoutMs} ms`);
      return { maxTimeMS: leftMs };
    };
    return withDeadline(action, this.timeoutMs, work(next).catch(withoutValues));
  }
}

/** Whether another document has the same value in a unique index. */
export function isDuplicate(error: unknown): boolean {
  return (error as { code?: unknown }).code === 11_000;
}

/** MongoDB quotes values in its messages, such as a session id: only the name of an error of the server is told. */
function withoutValues(error: unknown): never {
  const { code, codeName, name } = error as { code?: unknown; codeName?: string; name?: unknown };
  if (TOO_LARGE.includes(code))
    throw new SessionEncodingError(
      'Cannot save the session: the session as a whole is larger than the 16 MB of a document of MongoDB. Store less.',
    );
  const isAnswer =
    typeof name === 'string' && /^Mongo(Server|BulkWrite|WriteConcern)Error$/.test(name);
  if (!isAnswer || error instanceof SessionStoreError) throw error;
  const answer = `MongoDB answers ${codeName ?? 'with an error'} (${String(code)})`;
  throw code === TIMEOUT ? new NoAnswerError(answer) : new Error(answer);
}
