import { Controller, Get, Header, Post, Query, Redirect, UseGuards } from '@nestjs/common';
import {
  Authenticated,
  CurrentSession,
  CurrentUser,
  LoginGuard,
  type Session,
} from 'nestjs-redis-session';
import { type User } from './local.strategy.js';

const HTML = 'text/html; charset=utf-8';

/** A login page, and one page for members that counts its visits in the session. */
@Controller()
export class PagesController {
  @Get()
  @Redirect('/members')
  home(): void {
    // Nest redirects.
  }

  @Get('login')
  @Header('Content-Type', HTML)
  loginPage(@Query('reason') reason?: string): string {
    const message = reason === 'bad-credentials' ? 'Wrong name or password.' : 'Try kim and kim.';
    return `<!doctype html><title>Log in</title><p>${message}</p><form method="post">
      <input name="username" placeholder="Name"> <input name="password" type="password">
      <button>Log in</button></form>`;
  }

  @Post('login')
  @UseGuards(LoginGuard('local'))
  login(@CurrentUser() user: User): User {
    return user; // for JSON clients; a form continues to the page that the browser asked for
  }

  @Get('members')
  @Authenticated()
  @Header('Content-Type', HTML)
  async members(
    @CurrentUser('username') name: string,
    @CurrentSession() session: Session,
  ): Promise<string> {
    const visits = await session.update('visits', (count = 0) => count + 1);
    return `<!doctype html><title>Members</title><p>Hello ${name}. Visit ${visits} of this session.</p>
      <form method="post" action="/logout"><button>Log out</button></form>`;
  }
}

declare module 'nestjs-redis-session' {
  interface SessionAttributes {
    visits: number;
  }
}
