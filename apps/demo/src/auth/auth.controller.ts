import { Controller, HttpCode, Post, UseGuards } from '@nestjs/common';
import { CurrentUser, LoginGuard } from 'nestjs-redis-session';
import { type User } from './user.service.js';

/** The login; its page is in `pages/`, the logout is an option of the sessions. */
@Controller()
export class AuthController {
  /** A form goes on to the page that was asked for; a JSON client gets the user. */
  @Post('login')
  @HttpCode(200)
  @UseGuards(LoginGuard('local'))
  login(@CurrentUser() user: User): User {
    return user;
  }
}
