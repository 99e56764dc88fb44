import {
  BadRequestException,
  type CanActivate,
  Controller,
  Delete,
  type DynamicModule,
  Get,
  HttpCode,
  Inject,
  Module,
  NotFoundException,
  Param,
  Query,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { SIGNED_OUT_REASON } from '../../session/session-registry.js';
import { SecurityContextHolder } from '../../security/security-context.js';
import { type Session } from '../../session/session.js';
import {
  type IndexedSessionRepository,
  SessionRepository,
  isIndexed,
} from '../../session/session-repository.js';
import { RequireAuthorities } from '../access/authorization.decorators.js';
import { AuthenticationException } from '../access/security.exceptions.js';

/** What `SessionManagementModule.forRoot` takes. */
export interface SessionManagementOptions {
  /** Authority that is needed. @defaultValue 'ADMIN' */
  readonly authority?: string;
  /** Path of the routes. @defaultValue 'actuator/sessions' */
  readonly path?: string;
}

/**
 * Adds routes that find and end the sessions of any user, as Spring's actuator endpoint `sessions` does, for those who
 * have the authority. Import it beside `RedisSessionModule`; needs `repository: 'indexed'`.
 */
@Module({})
export class SessionManagementModule {
  static forRoot({
    authority = 'ADMIN',
    path = 'actuator/sessions',
  }: SessionManagementOptions = {}): DynamicModule {
    return {
      module: SessionManagementModule,
      controllers: [createSessionsController(path, authority)],
    };
  }
}

/** A session as Spring's actuator shows it: no values of attributes. Times are ISO 8601, the interval is seconds. */
export interface SessionDescriptor {
  readonly id: string;
  readonly attributeNames: readonly string[];
  readonly creationTime: string;
  readonly lastAccessedTime: string;
  readonly maxInactiveInterval: number;
  readonly expired: boolean;
}

/** `security: false` leaves no guard that would look at authorities: then nobody may come. */
class LoggedInGuard implements CanActivate {
  canActivate(): boolean {
    if (SecurityContextHolder.getAuthentication()) return true;
    throw new AuthenticationException('Log in to use this resource.');
  }
}

/** Makes the controller for `path`, open to those who have `authority`. Mirrors `SessionsEndpoint` of Spring Boot. */
export function createSessionsController(path: string, authority: string): Type {
  @Controller(path)
  @RequireAuthorities(authority)
  @UseGuards(LoggedInGuard)
  class SessionsController {
    constructor(@Inject(SessionRepository) private readonly repository: object) {}

    @Get()
    async find(
      @Query('username') username?: string,
      @Query('offset') offset = '0',
      @Query('limit') limit = '100',
    ): Promise<{ sessions: SessionDescriptor[]; total: number }> {
      const page = { offset: toCount(offset), limit: Math.min(toCount(limit), 1000) };
      if (typeof username !== 'string' || username === '' || page.limit === 0)
        throw new BadRequestException('username must be given, and limit must be above 0.');
      const { sessions, total } = await this.indexed.findByPrincipalName(username, page);
      return { sessions: sessions.map(toDescriptor), total };
    }

    @Get(':id')
    async get(@Param('id') id: string): Promise<SessionDescriptor> {
      const session = await this.indexed.findById(id);
      if (!session) throw new NotFoundException('There is no such session.');
      return toDescriptor(session);
    }

    @Delete(':id')
    @HttpCode(204)
    async delete(@Param('id') id: string): Promise<void> {
      await this.indexed.endById(id, SIGNED_OUT_REASON);
    }

    private get indexed(): IndexedSessionRepository {
      if (isIndexed(this.repository)) return this.repository;
      throw new NotFoundException('Sessions are not indexed.');
    }
  }
  return SessionsController;
}

function toDescriptor(session: Session): SessionDescriptor {
  return {
    id: session.id,
    attributeNames: session.attributeNames,
    creationTime: session.creationTime.toISOString(),
    lastAccessedTime: session.lastAccessedTime.toISOString(),
    maxInactiveInterval: session.maxInactiveIntervalSeconds,
    expired: false,
  };
}

function toCount(text: unknown): number {
  if (typeof text === 'string' && /^\d{1,9}$/.test(text)) return Number(text);
  throw new BadRequestException('offset and limit must be whole numbers.');
}
