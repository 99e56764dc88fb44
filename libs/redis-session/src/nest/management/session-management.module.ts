import {
  BadRequestException,
  NotFoundException,
  type CanActivate,
  Controller,
  Delete,
  type DynamicModule,
  type ExecutionContext,
  Get,
  HttpCode,
  Inject,
  Module,
  Param,
  Query,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { SIGNED_OUT_REASON, findByRef, refOf } from '../../session/session-registry.js';
import {
  type IndexedSessionRepository,
  isIndexed,
  SessionRepository,
} from '../../session/session-repository.js';
import { type Session } from '../../session/session.js';
import { RequireAuthorities } from '../access/authorization.decorators.js';
import { AuthenticationException } from '../access/security.exceptions.js';
import { securityContextOf } from '../call-context.js';

/** A session as Spring's actuator shows it: no values of attributes. Times are ISO 8601, the interval is seconds. */
export interface SessionDescriptor {
  /** With `showsIds`. */
  readonly id?: string;
  /** Without `showsIds`: 32 hex digits, the same as in `SessionInformation`. */
  readonly ref?: string;
  readonly attributeNames: readonly string[];
  readonly creationTime: string;
  readonly lastAccessedTime: string;
  readonly maxInactiveInterval: number;
  readonly expired: boolean;
}

interface SessionDescriptorPage {
  readonly sessions: readonly SessionDescriptor[];
  readonly total: number;
}

/** Answers the requests of those who administer; what comes from a request may be of any type. */
abstract class ManagedSessions {
  /** @param showsIds - whether sessions are named by their ids, else by refs of a user's sessions */
  constructor(
    private readonly repository: object,
    private readonly showsIds: boolean,
  ) {}

  /** @throws BadRequestException when a parameter is none */
  @Get()
  async find(
    @Query('username') username?: string,
    @Query('offset') offset = '0',
    @Query('limit') limit = '100',
  ): Promise<SessionDescriptorPage> {
    const page = { offset: toCount(offset), limit: Math.min(toCount(limit), 1000) };
    if (page.limit === 0) throw new BadRequestException('limit must be above 0.');
    const found = await this.indexed.findByPrincipalName(toUserName(username), page);
    const sessions = found.sessions.map((session) => toDescriptor(session, this.showsIds));
    return { sessions, total: found.total };
  }

  /** @throws NotFoundException when there is none */
  @Get(':name')
  async get(
    @Param('name') name: string,
    @Query('username') username?: string,
  ): Promise<SessionDescriptor> {
    return toDescriptor(await this.findOne(name, username), this.showsIds);
  }

  /** @throws NotFoundException when there is none of that ref */
  @Delete(':name')
  @HttpCode(204)
  async delete(@Param('name') name: string, @Query('username') username?: string): Promise<void> {
    const id = this.showsIds ? name : (await this.findOne(name, username)).id;
    await this.indexed.endById(id, SIGNED_OUT_REASON);
  }

  private async findOne(name: string, username: unknown): Promise<Session> {
    const session = this.showsIds
      ? await this.indexed.findById(name)
      : await findByRef(this.indexed, toUserName(username), name);
    if (session) return session;
    throw new NotFoundException('There is no such session.');
  }

  private get indexed(): IndexedSessionRepository {
    if (isIndexed(this.repository)) return this.repository;
    throw new NotFoundException('Sessions are not indexed. Set repository to "indexed".');
  }
}

function toDescriptor(session: Session, showsIds: boolean): SessionDescriptor {
  return {
    ...(showsIds ? { id: session.id } : { ref: refOf(session.id) }),
    attributeNames: session.attributeNames,
    creationTime: session.creationTime.toISOString(),
    lastAccessedTime: session.lastAccessedTime.toISOString(),
    maxInactiveInterval: session.maxInactiveIntervalSeconds,
    expired: false,
  };
}

function toUserName(text: unknown): string {
  if (typeof text === 'string' && text !== '') return text;
  throw new BadRequestException('username must be given.');
}

function toCount(text: unknown): number {
  if (typeof text === 'string' && /^\d{1,9}$/.test(text)) return Number(text);
  throw new BadRequestException('offset and limit must be whole numbers.');
}

/** What `SessionManagementModule.forRoot` takes. */
interface SessionManagementOptions {
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
  /** Makes the module with its routes. */
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
  async canActivate(context: ExecutionContext): Promise<boolean> {
    const { authentication } = await securityContextOf(context);
    if (authentication) return true;
    throw new AuthenticationException('Log in to use this resource.');
  }
}

/** Makes the controller for `path`, open to those who have `authority`. Mirrors `SessionsEndpoint` of Spring Boot. */
function createSessionsController(options: Required<SessionManagementOptions>): Type {
  @Controller(options.path)
  @RequireAuthorities(options.authority)
  @UseGuards(LoggedInGuard)
  class SessionsController extends ManagedSessions {
    constructor(@Inject(SessionRepository) repository: object) {
      super(repository, options.showsIds);
    }
  }
  return SessionsController;
}
