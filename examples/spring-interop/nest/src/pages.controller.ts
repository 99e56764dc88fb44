import { Controller, Get, HttpCode, Post, UseGuards } from '@nestjs/common';
import {
  Authenticated,
  CsrfToken,
  CurrentSecurityContext,
  FullyAuthenticated,
  LoginGuard,
  RequireAuthorities,
  type SecurityContext,
} from 'nestjs-redis-session';

/** Pages. The login page is the one of the Spring application. */
@Controller(['nest', 'both'])
export class PagesController {
  @Get('home')
  home(@CurrentSecurityContext() context: SecurityContext): string {
    return `hello ${context.authentication?.name ?? 'stranger'}`;
  }

  @Get('members')
  @Authenticated()
  members(@CurrentSecurityContext() context: SecurityContext): string {
    return this.home(context);
  }

  @Get('vault')
  @FullyAuthenticated()
  vault(@CurrentSecurityContext() context: SecurityContext): string {
    return this.home(context);
  }

  @Get('admin')
  @RequireAuthorities('ADMIN')
  admin(@CurrentSecurityContext() context: SecurityContext): string {
    return this.home(context);
  }

  /** A form goes on to the page that was asked for, on whichever side. */
  @Post('login')
  @HttpCode(200)
  @UseGuards(LoginGuard('local'))
  login(): string {
    return 'welcome';
  }

  @Get('api/csrf')
  csrf(@CsrfToken() token: string): string {
    return token;
  }
}
