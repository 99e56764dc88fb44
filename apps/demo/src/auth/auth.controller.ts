import { Controller, HttpCode, Post, Redirect, Req, UseGuards } from '@nestjs/common';
import { CurrentUser, LoginGuard, LogoutService } from 'nestjs-redis-session';
import { type User } from './user.service.js';

/** Login and logout. The login page is in `pages/`. */
@Controller()
export class AuthController {
  constructor(private readonly logoutService: LogoutService) {}

  /** A form goes on to the page that was asked for; a JSON client gets the user. */
  @Post('login')
  @HttpCode(200)
  @UseGuards(LoginGuard('local'))
  login(@CurrentUser() user: User): User {
    return user;
  }

  @Post('logout')
  @Redirect('/', 303)
  async logout(@Req() request: object): Promise<void> {
    await this.logoutService.logout(request);
  }
}
