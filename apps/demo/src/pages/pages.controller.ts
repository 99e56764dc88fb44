import { Controller, Get, Header, Query } from '@nestjs/common';
import { Authenticated, CurrentUser, RequireAuthorities } from 'nestjs-redis-session';
import { type User } from '../auth/user.service.js';
import { environment } from '../environment.js';
import { ViewService } from './view.service.js';

const HTML = 'text/html; charset=utf-8';

/** Pages with and without a login, and the same question for programs: who am I? */
@Controller()
export class PagesController {
  constructor(private readonly view: ViewService) {}

  @Get('login')
  @Header('Content-Type', HTML)
  login(
    @CurrentUser() user: User | undefined,
    @Query('reason') reason: string | undefined,
  ): string {
    return this.view.render('login', { user, reason });
  }

  @Get('members')
  @Authenticated()
  @Header('Content-Type', HTML)
  members(@CurrentUser() user: User): string {
    return this.view.render('members', { user });
  }

  @Get('admin')
  @RequireAuthorities('ADMIN')
  @Header('Content-Type', HTML)
  admin(@CurrentUser() user: User): string {
    return this.view.render('admin', { user });
  }

  @Get('api/me')
  @Authenticated()
  me(@CurrentUser() { name, authorities }: User): object {
    return { user: name, authorities, pod: environment.podName };
  }

  @Get('style.css')
  @Header('Content-Type', 'text/css; charset=utf-8')
  // Asked for once: else every page would take two turns, and always come from the same replica.
  @Header('Cache-Control', 'public, max-age=3600')
  stylesheet(): string {
    return this.view.stylesheet;
  }
}
