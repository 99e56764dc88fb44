import { Controller, Get, HttpCode, Post, Req, UseGuards } from '@nestjs/common';
import { type AppRequest, type AppUser } from './app-request.js';
import { AuthenticatedGuard } from './authenticated.guard.js';
import { KeepingLoginGuard, LocalLoginGuard } from './local-login.guard.js';

@Controller()
export class AuthController {
  @Post('login')
  @HttpCode(200)
  @UseGuards(LocalLoginGuard)
  login(@Req() request: AppRequest): AppUser | undefined {
    return request.user;
  }

  @Post('login-keeping')
  @HttpCode(200)
  @UseGuards(KeepingLoginGuard)
  loginKeeping(@Req() request: AppRequest): AppUser | undefined {
    return request.user;
  }

  @Post('logout')
  @HttpCode(200)
  async logout(@Req() request: AppRequest): Promise<object> {
    await new Promise<void>((resolve, reject) => {
      request.logout((error) => (error ? reject(error) : resolve()));
    });
    return { isAuthenticated: request.isAuthenticated() };
  }

  @Get('me')
  @UseGuards(AuthenticatedGuard)
  me(@Req() request: AppRequest): AppUser | undefined {
    return request.user;
  }
}
