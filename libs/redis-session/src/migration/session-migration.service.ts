import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import {
  CookieSerializer,
  type CookieSerializerOptions,
} from '../http/session-id/cookie-serializer.js';
import { CookieSessionIdResolver } from '../http/session-id/cookie-session-id-resolver.js';
import { FormerCookie } from './former-cookie.js';
import { MigratingSessionIdResolver } from './migrating-session-id-resolver.js';
import { type SessionRequestContext } from '../http/request/session-request-context.js';
import { type BlobLayout, BlobSessionRepository } from './blob-session-repository.js';
import { MigratingSessionRepository } from './migrating-session-repository.js';
import { FORMER_ID_PATTERN } from './session-blob.js';
import { SessionBlobCommands } from './session-blob.commands.js';
import { type RedisClient } from '../redis/sessions/redis-session.commands.js';
import { type SessionKeeper } from '../session/stored-session-repository.js';
import { type ResolvedMigrationOptions } from './migration.options.js';
import { RedisConnection } from '../nest/redis-connection.js';
import { type ResolvedOptions } from '../nest/options/redis-session.options.js';
import { RESOLVED_OPTIONS } from '../nest/redis-session.tokens.js';

/** Takes over the sessions of another library, with the option `migration`, and counts them. */
@Injectable()
export class SessionMigration implements OnApplicationShutdown {
  /** Sessions that this process has moved. */
  movedCount = 0;
  /** Times that this process was asked for a session that it cannot read. */
  unreadableCount = 0;

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    private readonly connection: RedisConnection,
  ) {}

  /** Tells the log what has become of the migration in this process. */
  onApplicationShutdown(): void {
    const { migration, logger } = this.options;
    if (migration?.phase !== 'move') return;
    logger.warn(
      `Moved ${this.movedCount} sessions of ${migration.from}; ${this.unreadableCount} could not be read.`,
    );
  }

  /** @internal @returns what requests share when there is a migration */
  takeOver(context: SessionRequestContext, cookie: CookieSerializerOptions): SessionRequestContext {
    const { migration } = this.options;
    const { client } = this.connection;
    if (!migration || !client) return context;
    return {
      ...context,
      repository: this.repositoryOf(migration, client, context.repository),
      sessionIdPattern: FORMER_ID_PATTERN,
      sessionIdResolver: new MigratingSessionIdResolver({
        current: context.sessionIdResolver,
        former: formerCookie(migration, cookie),
        isShared: migration.phase === 'share',
      }),
    };
  }

  private repositoryOf(
    migration: ResolvedMigrationOptions,
    client: RedisClient,
    current: SessionKeeper,
  ): SessionKeeper {
    const { options } = this;
    const layout = this.layoutOf(migration);
    const commands = new SessionBlobCommands(client, options.commandTimeoutMs);
    const deleteMoved = (id: string) => current.deleteById(id);
    return new MigratingSessionRepository({
      ...{ commands, current, layout },
      former: new BlobSessionRepository({ commands, deleteMoved, layout, options }),
      maxInactiveIntervalSeconds: options.maxInactiveIntervalSeconds,
      onCorrupt: options.onCorrupt,
      onMoved: () => {
        this.movedCount++;
      },
      onUnmovable: (problem) => this.reportUnreadable(problem),
      phase: migration.phase,
    });
  }

  private layoutOf({ keyPrefix, ttlSeconds }: ResolvedMigrationOptions): BlobLayout {
    const { domain, httpOnly, maxAgeSeconds, path, sameSite, secure } = this.options.cookie;
    return {
      cookieMaxAgeSeconds: maxAgeSeconds,
      cookieSettings: {
        ...{ httpOnly, path, ...(domain !== undefined && { domain }) },
        ...(sameSite !== null && { sameSite }),
        ...(secure === true && { secure }),
      },
      keyPrefix,
      ttlSeconds,
    };
  }

  private reportUnreadable(problem: string): void {
    this.unreadableCount++;
    this.options.logger.warn(
      `Cannot move a session: it is ${problem}. Its client gets a new session.`,
    );
  }
}

/** With the settings of our cookie, but signed as the other library does. */
function formerCookie(
  { cookieName, cookiePrefix, secrets }: ResolvedMigrationOptions,
  cookie: CookieSerializerOptions,
): FormerCookie {
  const serializer = new CookieSerializer({
    ...cookie,
    name: cookieName,
    ...{ encoding: 'plain', jvmRoute: undefined, secrets: [] },
  });
  const cookies = new CookieSessionIdResolver(serializer, { rolling: false });
  return new FormerCookie(cookies, { prefix: cookiePrefix, secrets });
}
