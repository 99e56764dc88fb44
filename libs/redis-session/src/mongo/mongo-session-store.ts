import { type Db, MongoClient } from 'mongodb';
import { BackgroundLoop, jittered } from '../lib/background-loop.js';
import { withDeadline } from '../lib/store-operation.js';
import { resolversOf } from '../session/indexed/session-indexing.js';
import { type SessionStore, type SessionStoreOptions } from '../session/session-store.js';
import { SessionOptionError } from '../session/session.errors.js';
import { DeadlineRunner } from './deadline-runner.js';
import { MongoIndexedSessionRepository } from './indexed/mongo-indexed-session-repository.js';
import { MongoSessionRepository } from './sessions/mongo-session-repository.js';
import {
  type SessionCollections,
  createIndexes,
  sessionCollections,
} from './session-collections.js';

/** A url, or a database. */
export type MongoDatabase = string | Db;

/** What a {@link MongoSessionStore} is told. */
export interface MongoSessionStoreInput {
  readonly collection: string;
  readonly createsIndexes: boolean;
  readonly db: MongoDatabase;
}

/** Ms between two turns of what requests do not do. */
const CLEANUP_PAUSE_MS = 60_000;
/** Ms for which the start waits for indexes: of a large collection they take their time. */
const INDEXES_WITHIN_MS = 60_000;
/** `Unauthorized` */
const UNAUTHORIZED = 13;
/** `IndexOptionsConflict`, `IndexKeySpecsConflict`, `DuplicateKey` */
const FOREIGN = [85, 86, 11_000];

/** What has been opened for one application. */
interface OpenedStore {
  readonly db: Db;
  /** Only if the module has opened it. */
  readonly client: MongoClient | undefined;
  readonly collections: SessionCollections;
  readonly options: SessionStoreOptions;
  readonly runner: DeadlineRunner;
  readonly cleanup: BackgroundLoop;
}

/**
 * Keeps sessions in MongoDB. A wrong address or a missing index fails the start of the application.
 *
 * The client is closed when the application has shut down: requests that are still in flight when the shutdown begins can
 * save their sessions.
 */
export class MongoSessionStore implements SessionStore {
  readonly name = 'MongoDB';
  readonly startTimeoutMs = 2 * INDEXES_WITHIN_MS;
  private opened: OpenedStore | undefined;

  constructor(private readonly input: MongoSessionStoreInput) {}

  createRepository(options: SessionStoreOptions): MongoSessionRepository {
    const { commandTimeoutMs, indexed, logger } = options;
    const { client, db } = openDatabase(this.input.db, commandTimeoutMs);
    const collections = sessionCollections(db, this.input.collection);
    const runner = new DeadlineRunner(commandTimeoutMs);
    const repository = indexed
      ? new MongoIndexedSessionRepository(collections, runner, { ...options, indexed })
      : new MongoSessionRepository(collections.sessions, runner, options);
    const cleanup = new BackgroundLoop({
      action: 'drop old sessions',
      logger,
      pauseMs: () => jittered(CLEANUP_PAUSE_MS),
      turn: () => repository.cleanUp(),
    });
    this.opened = { client, cleanup, collections, db, options, runner };
    return repository;
  }

  /** @throws SessionStoreError, SessionOptionError for a collection that cannot hold sessions */
  async start(): Promise<void> {
    if (!this.opened) return;
    const { db, options, runner, cleanup } = this.opened;
    await withDeadline('reach MongoDB', options.commandTimeoutMs, db.command({ ping: 1 }));
    await withDeadline('find the indexes of MongoDB', INDEXES_WITHIN_MS, this.checkIndexes());
    if (!runner.isClosed) cleanup.start();
  }

  async stop(): Promise<void> {
    await this.opened?.cleanup.stop();
    await this.close();
  }

  private async close(): Promise<void> {
    if (!this.opened) return;
    this.opened.runner.isClosed = true;
    await this.opened.client?.close();
  }

  private async checkIndexes(): Promise<void> {
    if (!this.opened) return;
    const { collections, options } = this.opened;
    if (this.input.createsIndexes) {
      const names = options.indexed && Object.keys(resolversOf(options.indexed));
      await createIndexes(collections, names).catch((error: unknown) => this.explain(error));
    } else if (!(await hasUniqueIds(collections))) {
      throw new SessionOptionError(
        `mongoSessions.collection must name a collection with a unique index on sessionId, and ${this.input.collection} has none. Create it in a migration, or set createIndexes to true.`,
      );
    }
  }

  private explain(error: unknown): never {
    const { code } = error as { code?: number };
    const { collection } = this.input;
    if (code === UNAUTHORIZED)
      throw new SessionOptionError(
        'mongoSessions.createIndexes must be false when the user of the database may not create indexes. Create them in a migration.',
      );
    if (code === undefined || !FOREIGN.includes(code)) throw error;
    throw new SessionOptionError(
      `mongoSessions.collection must name a collection of sessions, and ${collection} holds other documents or has other indexes. Name another one.`,
    );
  }
}

async function hasUniqueIds({ sessions }: SessionCollections): Promise<boolean> {
  const indexes = await sessions
    .listIndexes()
    .toArray()
    .catch(() => []);
  return indexes.some((index: { unique?: boolean; key?: object }) => {
    const [field, ...others] = Object.keys(index.key ?? {});
    return index.unique === true && field === 'sessionId' && others.length === 0;
  });
}

function openDatabase(db: MongoDatabase, timeoutMs: number): Pick<OpenedStore, 'client' | 'db'> {
  if (typeof db !== 'string') return { client: undefined, db };
  const client = createClient(db, timeoutMs);
  return { client, db: client.db() };
}

function createClient(url: string, timeoutMs: number): MongoClient {
  const timeouts = {
    connectTimeoutMS: timeoutMs,
    serverSelectionTimeoutMS: timeoutMs,
    // A connection that died silently is closed.
    socketTimeoutMS: timeoutMs,
    waitQueueTimeoutMS: timeoutMs,
  };
  try {
    return new MongoClient(url, timeouts);
  } catch {
    // What the driver says may quote the url.
    throw new SessionOptionError(
      'mongoSessions.db must be a url such as "mongodb://localhost/shop", and the driver cannot read this one. Check its options and the encoding of its password.',
    );
  }
}
