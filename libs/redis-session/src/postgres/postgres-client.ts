import { type Pool, type PoolClient } from 'pg';
import { NoAnswerError, withDeadline } from '../lib/store-operation.js';
import { SessionCorruptError, SessionEncodingError } from '../session/session.errors.js';

/** One SQL statement: the server prepares it once for each connection, under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** A value of a statement; bigint columns take numbers. */
export type SqlValue = string | number | boolean | null | readonly string[];

/** The columns of a row in order. */
export type Row = readonly unknown[];

/** What a statement returns. */
export type Rows = readonly Row[];

/** Runs one statement. */
export type RunStatement = (statement: Statement, values: readonly SqlValue[]) => Promise<Rows>;

/** What PostgreSQL reports when concurrent transactions are in each other's way, and none of it was written. */
const TRANSIENT_CODES = ['40001', '40P01'];
const MAX_ATTEMPTS = 5;
/** `query_canceled` by `statement_timeout`, `lock_not_available` within `lock_timeout` */
const TIMEOUT_CODES = ['57014', '55P03'];
/** `string_data_right_truncation` in a column of fixed length, `program_limit_exceeded` by a row of an index */
const TOO_LONG_CODES = ['22001', '54000'];
/** `character_not_in_repertoire` */
const INVALID_TEXT = '22021';

/**
 * Runs statements on connections of a pool. Nobody waits longer than the deadline, whatever the pool, the network and the
 * server do: a connection that is late is closed.
 */
export class PostgresClient {
  /** Whether the application has shut down: no background work goes on. */
  isClosed = false;

  constructor(
    private readonly pool: Pool,
    private readonly timeoutMs: number,
  ) {}

  /**
   * Runs one statement, which is a transaction of its own.
   *
   * @param action - for the error, such as `read the session`
   * @throws SessionStoreError
   */
  run(action: string, statement: Statement, values: readonly SqlValue[]): Promise<Rows> {
    return this.inTime(action, (run) => run(statement, values));
  }

  /**
   * Runs all statements of `work` in one transaction. A rejection undoes them, and so does a missed deadline.
   *
   * @throws SessionStoreError, and what `work` throws
   */
  transaction<T>(action: string, work: (run: RunStatement) => Promise<T>): Promise<T> {
    return this.inTime(action, async (run, client) => {
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED');
      try {
        const result = await work(run);
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch(() => undefined);
        throw error;
      }
    });
  }

  private async inTime<T>(
    action: string,
    work: (run: RunStatement, client: PoolClient) => Promise<T>,
  ): Promise<T> {
    const use = new ConnectionUse(this.pool, action);
    try {
      const result = await withDeadline(action, this.timeoutMs, use.run(work));
      use.end();
      return result;
    } catch (error) {
      use.end();
      throw error;
    }
  }
}

/** The use of one connection, from the pool and back. */
class ConnectionUse {
  private client: PoolClient | undefined;
  private isBusy = true;
  private hasEnded = false;

  constructor(
    private readonly pool: Pool,
    private readonly action: string,
  ) {}

  async run<T>(work: (run: RunStatement, client: PoolClient) => Promise<T>): Promise<T> {
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.attempt(work);
        } catch (error) {
          const { code } = error as { code?: string };
          if (!code || !TRANSIENT_CODES.includes(code) || attempt === MAX_ATTEMPTS) throw error;
        }
      }
    } finally {
      this.isBusy = false;
    }
  }

  /** Gives the connection back, or closes it when it is still busy: nobody knows what it would do next. */
  end(): void {
    this.hasEnded = true;
    this.client?.off('error', ignore);
    if (this.isBusy) this.client?.on('error', ignore);
    this.client?.release(this.isBusy);
    this.client = undefined;
  }

  private async attempt<T>(
    work: (run: RunStatement, client: PoolClient) => Promise<T>,
  ): Promise<T> {
    const client = (this.client ??= await this.connect());
    const run: RunStatement = async (statement, values) => {
      const query = { ...statement, values: [...values], rowMode: 'array' as const };
      return (await client.query<unknown[]>(query).catch(this.explain)).rows;
    };
    return work(run, client);
  }

  /**
   * @throws NoAnswerError when the server has given up, SessionEncodingError for a name that is too long, and
   *   SessionCorruptError when an attribute holds bytes that are no text
   */
  private readonly explain = (error: unknown): never => {
    const { code = '', message } = error as { code?: string; message: string };
    if (TIMEOUT_CODES.includes(code)) throw new NoAnswerError(message);
    if (TOO_LONG_CODES.includes(code))
      throw new SessionEncodingError(
        `Cannot ${this.action}: the name of the user, of an attribute or of an index is too long for its column (${message}). Store a shorter one.`,
      );
    if (code !== INVALID_TEXT) throw error;
    throw new SessionCorruptError(
      'Cannot read a session: an attribute holds bytes that are not UTF-8, such as serialized Java objects. Delete the session; the client gets a new one.',
    );
  };

  /** An error may come together with the connection, before a promise would settle: unheard, it would end the process. */
  private connect(): Promise<PoolClient> {
    return new Promise((resolve, reject) => {
      this.pool.connect((error, client) => {
        if (!client) {
          reject(error ?? new Error('the pool gave no connection'));
        } else if (this.hasEnded) {
          client.release();
          reject(new Error('nobody waits for this connection any more'));
        } else {
          client.on('error', ignore);
          resolve(client);
        }
      });
    });
  }
}

function ignore(): void {
  // The statement that was under way reports it.
}
