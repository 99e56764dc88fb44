import { Controller, Get, Header, Inject, Post, Redirect, Req, UseGuards } from '@nestjs/common';
import { Authenticated, CurrentUser, LoginGuard, LogoutService } from 'nestjs-redis-session';
import { buildEndSessionUrl, type Configuration } from 'openid-client';
import { APP_URL, PROVIDER, type User } from './oidc.strategy.js';

const HTML = 'text/html; charset=utf-8';

/** The login at the provider, a page that needs it, and the logout on both sides. */
@Controller()
export class PagesController {
  constructor(
    @Inject(PROVIDER) private readonly provider: Configuration,
    private readonly logoutService: LogoutService,
  ) {}

  @Get()
  @Header('Content-Type', HTML)
  home(): string {
    return '<!doctype html><title>Shop</title><p><a href="/orders?page=2">My orders</a>';
  }

  /** Sends the browser to the provider. */
  @Get('login')
  @UseGuards(LoginGuard('oidc'))
  login(): void {
    // The guard answers.
  }

  /** Comes back from the provider. The guard logs in and redirects to the page that the browser asked for. */
  @Get('login/callback')
  @UseGuards(LoginGuard('oidc'))
  callback(): void {
    // The guard answers.
  }

  @Get('orders')
  @Authenticated()
  @Header('Content-Type', HTML)
  orders(@CurrentUser('sub') sub: string): string {
    return `<!doctype html><title>Orders</title><p>Orders of ${encodeURIComponent(sub)}.
      <form method="post" action="/logout"><button>Log out</button></form>`;
  }

  @Get('api/me')
  @Authenticated()
  me(@CurrentUser() user: User): User {
    return user;
  }

  /** Ends the session here, then at the provider. Otherwise the next login would need no password. */
  @Post('logout')
  @Redirect()
  async logout(@Req() request: object): Promise<{ url: string; statusCode: number }> {
    await this.logoutService.logout(request);
    const back = { post_logout_redirect_uri: `${APP_URL}/` };
    return { url: buildEndSessionUrl(this.provider, back).href, statusCode: 303 };
  }
}
