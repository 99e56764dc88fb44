import { Body, Controller, Get, Header, Post, Redirect } from '@nestjs/common';
import {
  Authenticated,
  CurrentSession,
  CurrentUser,
  type Session,
  SessionRegistry,
} from 'nestjs-redis-session';
import { type User } from '../auth/user.service.js';
import { environment } from '../environment.js';
import { ViewService } from '../pages/view.service.js';
import { browserOf } from './browser-of.js';

/** Where a user sees on which devices he is logged in, and ends what is not his. */
@Controller('sessions')
@Authenticated()
export class MySessionsController {
  constructor(
    private readonly registry: SessionRegistry,
    private readonly view: ViewService,
  ) {}

  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  async show(@CurrentUser() user: User, @CurrentSession() session: Session): Promise<string> {
    // Without an index nobody knows which sessions are of the same user.
    const hasIndex = environment.repository === 'indexed';
    if (!hasIndex) return this.view.render('sessions', { user, page: null });
    const page = await this.registry.list(user.name, { currentId: session.id });
    return this.view.render('sessions', { user, page, browserOf });
  }

  /** @param ref - names a session without being its id, which must not be in a page */
  @Post('end')
  @Redirect('/sessions', 303)
  async end(@CurrentUser() user: User, @Body('ref') ref: unknown): Promise<void> {
    await this.registry.expireByRef(user.name, String(ref));
  }

  @Post('end-others')
  @Redirect('/sessions', 303)
  async endOthers(@CurrentUser() user: User, @CurrentSession() session: Session): Promise<void> {
    await this.registry.expireOthers(user.name, session.id);
  }

  /** This one, too: the redirect leads to the login page. */
  @Post('end-all')
  @Redirect('/sessions', 303)
  async endAll(@CurrentUser() user: User): Promise<void> {
    await this.registry.expireAll(user.name);
  }
}
