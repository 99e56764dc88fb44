import { Controller, Get, Header, HttpCode, Injectable, Post, UseGuards } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import {
  Authenticated,
  CurrentSession,
  CurrentUser,
  FullyAuthenticated,
  LoginGuard,
  Public,
  RequireAuthorities,
  type Session,
} from 'nestjs-redis-session';
import { Strategy } from 'passport-local';

/** The password of every user of a test: whoever sees it anywhere has found a leak. */
export const PASSWORD = 'correct horse battery staple';

/** Fields of a login form. */
export const KIM = { username: 'kim', password: PASSWORD } as const;
export const ADMIN = { username: 'admin', password: PASSWORD } as const;

/** A user as a careless database hands him out: with his credentials. */
function userNamed(username: string): object {
  return {
    id: `id-of-${username}`,
    username,
    password: PASSWORD,
    user_pass: PASSWORD,
    authorities: username === 'admin' ? ['USER', 'ADMIN'] : ['USER'],
    account: { passwordHash: `hash of ${PASSWORD}`, oldPwd: PASSWORD, city: 'Seoul' },
  };
}

/** Knows every user who types {@link PASSWORD}. */
@Injectable()
export class TestStrategy extends PassportStrategy(Strategy) {
  validate(username: string, password: string): object | null {
    return password === PASSWORD ? userNamed(username) : null;
  }
}

/** A login, and pages for those who have logged in. */
@Controller()
export class LoginController {
  @Get('login')
  page(): string {
    return 'the login page';
  }

  @Post('login')
  @HttpCode(200)
  @UseGuards(LoginGuard('local'))
  login(@CurrentUser() user: unknown): object {
    return { user };
  }

  @Get()
  home(@CurrentUser('username') name: string | undefined): object {
    return { page: 'home', name };
  }

  @Get('own-cart')
  ownCart(@CurrentSession() session: Session): object {
    return { cart: session.getAttribute('cart') ?? [] };
  }

  @Get('about')
  @Public()
  about(): object {
    return { page: 'about' };
  }

  @Get('public-for-an-hour')
  @Header('Cache-Control', 'public, max-age=3600')
  brochure(@CurrentUser('username') name: string | undefined): object {
    return { page: 'brochure', name };
  }

  @Get('members')
  @Authenticated()
  members(@CurrentUser() user: unknown): object {
    return { page: 'members', user };
  }

  @Get('settings')
  @FullyAuthenticated()
  settings(): object {
    return { page: 'settings' };
  }

  @Get('admin')
  @RequireAuthorities('ADMIN')
  admin(): object {
    return { page: 'admin' };
  }
}

/** For `controllers` and `providers` of an application that has a login. */
export const LOGIN_PARTS = { controllers: [LoginController], providers: [TestStrategy] };
