import { BadRequestException, Body, Controller, Get, Post, UseGuards } from '@nestjs/common';
import {
  Authenticated,
  CsrfToken,
  CurrentSession,
  CurrentUser,
  LoginGuard,
  type Session,
} from 'nestjs-redis-session';
import { type User } from './local.strategy.js';

/** What the pages ask for. Programs get status codes, so the pages decide themselves what a 401 looks like. */
@Controller('api')
export class ApiController {
  /** The page asks for a token before its first POST, and again after a login or logout. */
  @Get('csrf')
  csrf(@CsrfToken() token: string): { token: string } {
    return { token };
  }

  @Post('login')
  @UseGuards(LoginGuard('local'))
  login(@CurrentUser() user: User): User {
    return user;
  }

  @Get('me')
  @Authenticated()
  me(@CurrentUser() user: User): User {
    return user;
  }

  @Get('notes')
  @Authenticated()
  notes(@CurrentSession() session: Session): string[] {
    return session.getAttribute('notes') ?? [];
  }

  @Post('notes')
  @Authenticated()
  async addNote(
    @CurrentSession() session: Session,
    @Body('text') text: unknown,
  ): Promise<string[]> {
    if (typeof text !== 'string' || text.length > 100)
      throw new BadRequestException('`text` must be a text of at most 100 characters.');
    return (await session.update('notes', (notes = []) => [...notes, text])) ?? [];
  }
}

declare module 'nestjs-redis-session' {
  interface SessionAttributes {
    notes: string[];
  }
}
