import { Controller, Post, UseGuards } from '@nestjs/common';
import { CurrentUser, LoginGuard } from 'nestjs-redis-session';
import { type User } from './local.strategy.js';

/** The login is an HTTP route: only HTTP can set the cookie. */
@Controller()
export class LoginController {
  @Post('login')
  @UseGuards(LoginGuard('local'))
  login(@CurrentUser() user: User): User {
    return user;
  }
}
