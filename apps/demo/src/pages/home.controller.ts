import { Body, Controller, Get, Header, Post, Redirect } from '@nestjs/common';
import { CurrentSession, CurrentUser, type Session } from 'nestjs-redis-session';
import { type User } from '../auth/user.service.js';
import { checkItem } from '../cart/cart.controller.js';
import { environment } from '../environment.js';
import { type Visit } from '../session-attributes.js';
import { ViewService } from './view.service.js';

const KEPT_VISITS = 10;

/** The page that shows the visits, and the cart form on it. */
@Controller()
export class HomeController {
  constructor(private readonly view: ViewService) {}

  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  async home(
    @CurrentSession() session: Session,
    @CurrentUser() user: User | undefined,
  ): Promise<string> {
    const visits = user ? await this.recordVisit(session) : [];
    return this.view.render('home', { user, visits, cart: session.getAttribute('cart') ?? [] });
  }

  @Post('cart')
  @Redirect('/', 303)
  addToCart(@CurrentSession() session: Session, @Body('item') item: unknown): void {
    session.update('cart', (items = []) => [...items, checkItem(item)]);
  }

  /** By `update`, not by get and set: two tabs on two replicas do not lose each other's visit. */
  private async recordVisit(session: Session): Promise<Visit[]> {
    const visit = { pod: environment.podName, at: new Date().toISOString() };
    const visits = await session.update('answeredBy', (old = []) =>
      [...old, visit].slice(-KEPT_VISITS),
    );
    return visits ?? [];
  }
}
