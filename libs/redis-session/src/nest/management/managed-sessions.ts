import { BadRequestException, NotFoundException } from '@nestjs/common';
import { SIGNED_OUT_REASON, findByRef, refOf } from '../../session/session-registry.js';
import { type IndexedSessionRepository, isIndexed } from '../../session/session-repository.js';
import { type Session } from '../../session/session.js';

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

/** A part of the sessions of a user. */
export interface SessionDescriptorPage {
  readonly sessions: readonly SessionDescriptor[];
  readonly total: number;
}

/** Answers the requests of those who administer; what comes from a request may be of any type. */
export class ManagedSessions {
  /** @param showsIds - whether sessions are named by their ids, else by refs of a user's sessions */
  constructor(
    private readonly repository: object,
    private readonly showsIds: boolean,
  ) {}

  /** @throws BadRequestException when a parameter is none */
  async list(username: unknown, offset: unknown, limit: unknown): Promise<SessionDescriptorPage> {
    const page = { offset: toCount(offset), limit: Math.min(toCount(limit), 1000) };
    if (page.limit === 0) throw new BadRequestException('limit must be above 0.');
    const found = await this.indexed.findByPrincipalName(toUserName(username), page);
    const sessions = found.sessions.map((session) => toDescriptor(session, this.showsIds));
    return { sessions, total: found.total };
  }

  /** @throws NotFoundException when there is none */
  async describe(name: string, username: unknown): Promise<SessionDescriptor> {
    return toDescriptor(await this.find(name, username), this.showsIds);
  }

  /** @throws NotFoundException when there is none of that ref */
  async end(name: string, username: unknown): Promise<void> {
    const id = this.showsIds ? name : (await this.find(name, username)).id;
    await this.indexed.endById(id, SIGNED_OUT_REASON);
  }

  private async find(name: string, username: unknown): Promise<Session> {
    const session = this.showsIds
      ? await this.indexed.findById(name)
      : await findByRef(this.indexed, toUserName(username), name);
    if (session) return session;
    throw new NotFoundException('There is no such session.');
  }

  private get indexed(): IndexedSessionRepository {
    if (isIndexed(this.repository)) return this.repository;
    throw new NotFoundException('Sessions are not indexed.');
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
