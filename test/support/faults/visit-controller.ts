import { Controller, Get, Post, Req } from '@nestjs/common';
import {
  Authenticated,
  CurrentSession,
  LoginService,
  LogoutService,
  type Session,
} from 'nestjs-redis-session';

/** Everything that changes a session. */
@Controller()
export class VisitController {
  constructor(
    private readonly loginService: LoginService,
    private readonly logoutService: LogoutService,
  ) {}

  @Get('count')
  count(@CurrentSession() session: Session): object {
    return { count: session.getAttribute<number>('count') ?? 0 };
  }

  @Get('me')
  @Authenticated()
  me(): object {
    return {};
  }

  @Post('begin')
  begin(@CurrentSession() session: Session): void {
    session.setAttribute<string>('theme', 'dark');
  }

  @Post('count')
  increment(@CurrentSession() session: Session): void {
    session.update<number>('count', (count = 0) => count + 1);
  }

  @Post('id')
  changeId(@CurrentSession() session: Session): void {
    session.changeSessionId();
  }

  @Post('count-and-id')
  incrementAndChangeId(@CurrentSession() session: Session): void {
    this.increment(session);
    session.changeSessionId();
  }

  /** The application does not give up at the first failure. */
  @Post('stubborn-count')
  async incrementStubbornly(@CurrentSession() session: Session): Promise<void> {
    this.increment(session);
    await session.save().catch(() => undefined);
    await session.save();
  }

  @Post('stubborn-id')
  async changeIdStubbornly(@CurrentSession() session: Session): Promise<void> {
    session.changeSessionId();
    await session.save().catch(() => undefined);
    await session.save();
  }

  @Post('login')
  async login(@Req() request: object): Promise<void> {
    await this.loginService.login(request, { username: 'kim' });
  }

  @Post('logout')
  async logout(@Req() request: object): Promise<void> {
    await this.logoutService.logout(request);
  }
}
