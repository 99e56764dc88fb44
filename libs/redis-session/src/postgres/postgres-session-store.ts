import { Pool, type PoolConfig } from 'pg';
import { BackgroundLoop, jittered } from '../lib/background-loop.js';
import { reasonOf, withDeadline } from '../lib/store-operation.js';
import {
  type SessionSharing,
  type SessionStore,
  type SessionStoreOptions,
} from '../session/session-store.js';
import { SessionOptionError, SessionStoreError } from '../session/session.errors.js';
import { checkTables } from './check-tables.js';
import { PostgresClient } from './postgres-client.js';
import { PostgresIndexedSessionRepository } from './postgres-indexed-session-repository.js';
import { PostgresSessionRepository } from './postgres-session-repository.js';
import { SharedPostgresSessionRepository } from './shared-postgres-session-repository.js';
import { type SessionTables } from './session-tables.js';

/** A url, what makes a pool, or a pool. */
export type PostgresPool = string | PoolConfig | Pool;

/** What a {@link PostgresSessionStore} is told. */
export interface PostgresSessionStoreInput {
  readonly createsTables: boolean;
  readonly pool: PostgresPool;
  readonly tables: SessionTables;
}

/** Ms between two turns of what requests do not do. */
const CLEANUP_PAUSE_MS = 60_000;

/** Ms between the clocks of this process and of PostgreSQL that count as none: they are asked for over a network. */
const CLOCK_GRAIN_MS = 1000;

/** Long enough for a database that has to wake up first. */
const CONNECTION_TIMEOUT_MS = 10_000;

const CLOCK = {
  name: 'nest_session_clock',
  text: 'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint',
};

/** What has been opened for one application. */
interface OpenedStore {
  readonly pool: Pool;
  readonly client: PostgresClient;
  readonly options: SessionStoreOptions;
  readonly cleanup: BackgroundLoop;
}

/**
 * Keeps sessions in PostgreSQL. A wrong address or a missing table fails the start of the application.
 *
 * The pool is closed when the application has shut down: requests that are still in flight when the shutdown begins can
 * save their sessions.
 */
export class PostgresSessionStore implements SessionStore {
  readonly name = 'PostgreSQL';
  private opened: OpenedStore | undefined;
  private isLost = false;
  /** How far the clock of PostgreSQL was ahead of that of this process, which has counted from `originMs` on without a jump. */
  private offsetMs = 0;
  private originMs = originOfClock();
  private isReadingClock = false;

  constructor(private readonly input: PostgresSessionStoreInput) {}

  now(): number {
    const jumpMs = originOfClock() - this.originMs;
    const nowMs = Date.now() + this.offsetMs;
    if (Math.abs(jumpMs) <= CLOCK_GRAIN_MS) return nowMs;
    void this.readClockOnce();
    return nowMs - Math.round(jumpMs);
  }

  createRepository(options: SessionStoreOptions): PostgresSessionRepository {
    const { tables } = this.input;
    const { indexed } = options;
    return this.open(options, (client) =>
      indexed
        ? new PostgresIndexedSessionRepository(client, tables, { ...options, indexed })
        : new PostgresSessionRepository(client, tables, options),
    );
  }

  /** @throws SessionOptionError unless sessions are found by their user */
  createSharedRepository(
    options: SessionStoreOptions,
    sharing: SessionSharing,
  ): PostgresSessionRepository {
    const { indexed } = options;
    if (!indexed)
      throw new SessionOptionError(
        'repository must be "indexed" when a Spring application shares sessions in PostgreSQL: Spring keeps an index of their users. Set it.',
      );
    const { tables } = this.input;
    return this.open(
      options,
      (client) =>
        new SharedPostgresSessionRepository(client, tables, { ...options, indexed }, sharing),
    );
  }

  private open(
    options: SessionStoreOptions,
    create: (client: PostgresClient) => PostgresSessionRepository,
  ): PostgresSessionRepository {
    const { commandTimeoutMs, logger } = options;
    const pool = openPool(this.input.pool, commandTimeoutMs);
    const client = new PostgresClient(pool, commandTimeoutMs);
    const repository = create(client);
    const cleanup = new BackgroundLoop({
      action: 'drop old sessions',
      logger,
      pauseMs: () => jittered(CLEANUP_PAUSE_MS),
      turn: async () => {
        await this.readClock(client);
        await repository.cleanUp();
      },
    });
    this.opened = { pool, client, options, cleanup };
    return repository;
  }

  /** @throws SessionStoreError, SessionOptionError for tables that are missing, may not be written, or are too narrow */
  async start(): Promise<void> {
    if (!this.opened) return;
    const { pool, client, options, cleanup } = this.opened;
    pool.on('error', this.onLost);
    pool.on('connect', this.onConnect);
    const idLength = options.sessionIdGenerator().length;
    const isIndexed = options.indexed !== undefined;
    await checkTables(pool, { ...this.input, idLength, isIndexed });
    await this.readClock(client);
    if (!client.isClosed) cleanup.start();
  }

  async stop(): Promise<void> {
    await this.opened?.cleanup.stop();
    await this.close();
  }

  /** After a jump: somebody has set the clock, or the machine was suspended, and then the clock is right. */
  private async readClockOnce(): Promise<void> {
    const client = this.opened?.client;
    if (!client || client.isClosed || this.isReadingClock) return;
    this.isReadingClock = true;
    // The requests that fail for the same reason tell of it.
    await this.readClock(client).catch(() => undefined);
    this.isReadingClock = false;
  }

  private async readClock(client: PostgresClient): Promise<void> {
    const originMs = originOfClock();
    const sentMs = performance.now();
    const [[serverMs] = []] = await client.run('read the clock', CLOCK, []);
    const offsetMs = Number(serverMs) - originMs - (sentMs + performance.now()) / 2;
    this.originMs = originMs;
    this.offsetMs = Math.abs(offsetMs) > CLOCK_GRAIN_MS ? Math.round(offsetMs) : 0;
  }

  private async close(): Promise<void> {
    if (!this.opened) return;
    const { pool, client, options } = this.opened;
    client.isClosed = true;
    if (pool === this.input.pool) {
      pool.off('error', this.onLost);
      pool.off('connect', this.onConnect);
      return;
    }
    // The listeners stay: connections that are about to close may still break.
    if (pool.ending) return;
    const ended = withDeadline('close the pool', options.commandTimeoutMs, pool.end());
    await ended.catch((error: unknown) => {
      if (!(error instanceof SessionStoreError)) throw error;
    });
  }

  /** Without a listener, an idle connection that breaks ends the process. Says once that connections are lost. */
  private readonly onLost = (error: Error): void => {
    if (!this.isLost)
      this.opened?.options.logger.warn(`A connection to PostgreSQL is lost: ${reasonOf(error)}.`);
    this.isLost = true;
  };

  private readonly onConnect = (): void => {
    if (this.isLost) this.opened?.options.logger.warn('The connection to PostgreSQL is back.');
    this.isLost = false;
  };
}

/** Epoch ms at which a clock that nobody sets would have begun: another one after somebody has set that of this process. */
function originOfClock(): number {
  return Date.now() - performance.now();
}

function openPool(pool: PostgresPool, commandTimeoutMs: number): Pool {
  const config = typeof pool === 'string' ? { connectionString: pool } : pool;
  if ('connect' in config) return config;
  return new Pool({
    // A connection that is never answered would keep its place in the pool. Callers give up before; a late one joins the pool.
    connectionTimeoutMillis: Math.max(CONNECTION_TIMEOUT_MS, 2 * commandTimeoutMs),
    keepAlive: true,
    // A statement whose caller has given up changes nothing any more.
    statement_timeout: commandTimeoutMs,
    ...config,
  });
}
