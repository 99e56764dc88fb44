import {
  type CanActivate,
  Controller,
  Delete,
  type DynamicModule,
  Get,
  HttpCode,
  Inject,
  Module,
  Param,
  Query,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { SecurityContextHolder } from '../../security/security-context.js';
import { SessionRepository } from '../../session/session-repository.js';
import { RequireAuthorities } from '../access/authorization.decorators.js';
import { AuthenticationException } from '../access/security.exceptions.js';
import {
  ManagedSessions,
  type SessionDescriptor,
  type SessionDescriptorPage,
} from './managed-sessions.js';

/** What `SessionManagementModule.forRoot` takes. */
export interface SessionManagementOptions {
  /** Authority that is needed. @defaultValue 'ADMIN' */
  readonly authority?: string;
  /** Path of the routes. @defaultValue 'actuator/sessions' */
  readonly path?: string;
  /**
   * Whether sessions are named by their ids, as Spring does. Whoever sees such an answer, or the log of a proxy, can act as
   * the user, unless `hashIds` is on. False names them by a `ref`, which is of no use to log in.
   *
   * @defaultValue false
   */
  readonly showsIds?: boolean;
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
    showsIds = false,
  }: SessionManagementOptions = {}): DynamicModule {
    return {
      module: SessionManagementModule,
      controllers: [createSessionsController({ authority, path, showsIds })],
    };
  }
}

/** `security: false` leaves no guard that would look at authorities: then nobody may come. */
class LoggedInGuard implements CanActivate {
  canActivate(): boolean {
    if (SecurityContextHolder.getAuthentication()) return true;
    throw new AuthenticationException('Log in to use this resource.');
  }
}

/** Makes the controller for `path`, open to those who have `authority`. Mirrors `SessionsEndpoint` of Spring Boot. */
export function createSessionsController(options: Required<SessionManagementOptions>): Type {
  @Controller(options.path)
  @RequireAuthorities(options.authority)
  @UseGuards(LoggedInGuard)
  class SessionsController {
    private readonly sessions: ManagedSessions;

    constructor(@Inject(SessionRepository) repository: object) {
      this.sessions = new ManagedSessions(repository, options.showsIds);
    }

    @Get()
    find(
      @Query('username') username?: string,
      @Query('offset') offset = '0',
      @Query('limit') limit = '100',
    ): Promise<SessionDescriptorPage> {
      return this.sessions.list(username, offset, limit);
    }

    @Get(':name')
    get(
      @Param('name') name: string,
      @Query('username') username?: string,
    ): Promise<SessionDescriptor> {
      return this.sessions.describe(name, username);
    }

    @Delete(':name')
    @HttpCode(204)
    delete(@Param('name') name: string, @Query('username') username?: string): Promise<void> {
      return this.sessions.end(name, username);
    }
  }
  return SessionsController;
}
