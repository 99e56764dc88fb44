import { Body, Controller, Get, HttpCode, Post, Query } from '@nestjs/common';
import {
  CurrentSecurityContext,
  CurrentSession,
  type SecurityContext,
  type Session,
  SessionRegistry,
} from 'nestjs-redis-session';
import { javaClassOf } from 'nestjs-redis-session/spring';
import { SessionEventLog } from './session-events.js';

/** The API of the Nest half: the same as that of the Spring half. */
@Controller(['nest/api', 'both/api'])
export class ApiController {
  private readonly slowRequests: (() => void)[] = [];

  constructor(
    private readonly registry: SessionRegistry,
    private readonly log: SessionEventLog,
  ) {}

  @Get('me')
  me(@CurrentSecurityContext() { authentication }: SecurityContext): object {
    return {
      name: authentication?.name ?? null,
      authorities: authentication?.authorities ?? [],
      kind: authentication?.kind ?? 'full',
      authenticatedAt: authentication?.authenticatedAt,
      principal: authentication?.principal,
    };
  }

  @Post('cart')
  @HttpCode(200)
  add(@CurrentSession() session: Session, @Query('item') item: string): string[] {
    const cart = [...this.cart(session), item];
    session.setAttribute('cart', cart);
    return cart;
  }

  @Get('cart')
  cart(@CurrentSession() session: Session): string[] {
    return session.getAttribute<string[]>('cart') ?? [];
  }

  @Post('session-id')
  @HttpCode(200)
  changeId(@CurrentSession() session: Session): void {
    session.changeSessionId();
  }

  /** A request in flight: it has read the session, and saves it when it may go on. */
  @Post('slow')
  @HttpCode(200)
  async slow(@CurrentSession() session: Session): Promise<void> {
    session.setAttribute<string>('slow', 'done');
    await new Promise<void>((resolve) => this.slowRequests.push(resolve));
  }

  @Get('waiting')
  waiting(): number {
    return this.slowRequests.length;
  }

  @Post('go-on')
  @HttpCode(200)
  goOn(): void {
    this.slowRequests.shift()?.();
  }

  /** Sets attributes to what the body says. */
  @Post('attributes')
  @HttpCode(200)
  write(@CurrentSession() session: Session, @Body() attributes: Record<string, unknown>): void {
    for (const [name, value] of Object.entries(attributes)) session.setAttribute(name, value);
  }

  /** Every attribute: its class, if Java has one for it, and its value. */
  @Get('attributes')
  read(@CurrentSession() session: Session): object {
    const entries = session.attributeNames.map((name) => {
      const value = session.getAttribute(name);
      return [name, { className: javaClassOf(value), value }] as const;
    });
    return Object.fromEntries(entries);
  }

  /** Changes a Java object in place. */
  @Post('wishlist')
  @HttpCode(200)
  wish(@CurrentSession() session: Session, @Query('item') item: string): void {
    session.getAttribute<{ items: string[] }>('wishlist')?.items.push(item);
  }

  @Get('sessions')
  async count(@Query('user') user: string): Promise<number> {
    return (await this.registry.list(user)).total;
  }

  /** Signs a user out everywhere else. */
  @Post('sign-out-others')
  @HttpCode(200)
  signOutOthers(@CurrentSession() session: Session, @Query('user') user: string): Promise<number> {
    return this.registry.expireOthers(user, session.id);
  }

  @Get('events')
  events(): readonly string[] {
    return this.log.events;
  }
}
