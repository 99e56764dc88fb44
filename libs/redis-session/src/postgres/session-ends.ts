import { REASON_LIFE_MS, type SessionEnd } from '../session/session-event.js';
import { type indexedStatements } from './indexed-statements.js';
import {
  type PostgresClient,
  type RunStatement,
  type SqlValue,
  type Statement,
} from './postgres-client.js';

/** What {@link SessionEnds} works with. */
export interface SessionEndsInput {
  readonly client: PostgresClient;
  /** Epoch ms. */
  readonly clock: () => number;
  /** Names of the attributes that events carry; null = all; undefined = events are not recorded. */
  readonly eventAttributes: readonly string[] | null | undefined;
  readonly statements: ReturnType<typeof indexedStatements>;
}

/** Ends sessions, with all that belongs to them and the event. */
export class SessionEnds {
  constructor(private readonly input: SessionEndsInput) {}

  /**
   * Ends the sessions that `lock` finds and locks, in a transaction of its own.
   *
   * @returns how many
   */
  endAll(lock: Statement, values: readonly SqlValue[], end: SessionEnd): Promise<number> {
    return this.input.client.transaction('end sessions', (run) =>
      this.endLocked(run, lock, values, end),
    );
  }

  /** As {@link endAll}, within the transaction of `run`. */
  async endLocked(
    run: RunStatement,
    lock: Statement,
    values: readonly SqlValue[],
    { type, reason }: SessionEnd,
  ): Promise<number> {
    const ids = (await run(lock, values)).map(([primaryId]) => String(primaryId));
    if (ids.length === 0) return 0;
    const { clock, eventAttributes, statements } = this.input;
    const event = eventAttributes === undefined ? null : type;
    const forgetMs = clock() + REASON_LIFE_MS;
    const ended = await run(statements.end, [
      ids,
      reason,
      forgetMs,
      event,
      eventAttributes ?? null,
    ]);
    return ended.length;
  }
}
