import { Readable } from 'node:stream';
import {
  BadRequestException,
  Controller,
  Get,
  Post,
  Redirect,
  Req,
  Res,
  StreamableFile,
} from '@nestjs/common';
import {
  Authenticated,
  CurrentSession,
  LoginService,
  LogoutService,
  type Session,
} from 'nestjs-redis-session';
import { Barrier } from '../waiting/barrier.js';

interface Reply {
  send(body: object): void;
}

/** What an application does with a session while its Redis fails. */
@Controller()
export class OutageController {
  /** Where the routes `held-…` wait. */
  static barrier = new Barrier();

  constructor(
    private readonly loginService: LoginService,
    private readonly logoutService: LogoutService,
  ) {}

  @Get('read')
  read(@CurrentSession() session: Session): object {
    return { theme: session.getAttribute<string>('theme') ?? 'none' };
  }

  @Get('me')
  @Authenticated()
  me(): object {
    return { done: true };
  }

  @Post('login')
  async login(@Req() request: object): Promise<object> {
    await this.loginService.login(request, { username: 'kim' });
    return { done: true };
  }

  @Post('logout')
  async logout(@Req() request: object): Promise<object> {
    await this.logoutService.logout(request);
    return { done: true };
  }

  @Post('invalidate')
  async invalidate(@CurrentSession() session: Session): Promise<object> {
    await session.invalidate();
    return { done: true };
  }

  @Post('json')
  json(@CurrentSession() session: Session): object {
    session.setAttribute<string>('theme', 'dark');
    return { done: true };
  }

  @Post('redirect')
  @Redirect('/elsewhere')
  redirect(@CurrentSession() session: Session): void {
    session.setAttribute<string>('theme', 'dark');
  }

  @Post('stream')
  stream(@CurrentSession() session: Session): StreamableFile {
    session.setAttribute<string>('theme', 'dark');
    return new StreamableFile(Readable.from([Buffer.from('streamed')]));
  }

  @Post('endless')
  endless(@CurrentSession() session: Session): StreamableFile {
    session.setAttribute<string>('theme', 'dark');
    const source = new Readable({ read: () => undefined });
    source.push('streamed');
    return new StreamableFile(source);
  }

  @Post('res')
  res(@CurrentSession() session: Session, @Res() response: Reply): void {
    session.setAttribute<string>('theme', 'dark');
    response.send({ done: true });
  }

  @Post('error')
  error(@CurrentSession() session: Session): void {
    session.setAttribute<string>('theme', 'dark');
    throw new BadRequestException();
  }

  @Post('awaited-update')
  async awaitedUpdate(@CurrentSession() session: Session): Promise<object> {
    await session.update<unknown>('theme', () => 'dark');
    return { done: true };
  }

  @Post('count')
  count(@CurrentSession() session: Session): object {
    session.update<number>('count', (count = 0) => count + 1);
    return { done: true };
  }

  @Post('held-count')
  async heldCount(@CurrentSession() session: Session): Promise<object> {
    this.count(session);
    await session.save().catch(() => undefined);
    await OutageController.barrier.pass();
    await session.save();
    return { done: true };
  }

  @Post('swallow')
  async swallow(@CurrentSession() session: Session): Promise<object> {
    session.setAttribute<string>('theme', 'dark');
    await session.save().catch(() => undefined);
    return { done: true };
  }

  @Post('held-json')
  async heldJson(@CurrentSession() session: Session): Promise<object> {
    await OutageController.barrier.pass();
    return this.json(session);
  }

  @Post('held-res')
  async heldRes(@CurrentSession() session: Session, @Res() response: Reply): Promise<void> {
    await OutageController.barrier.pass();
    this.res(session, response);
  }

  @Post('held-logout')
  async heldLogout(@Req() request: object): Promise<object> {
    await OutageController.barrier.pass();
    return this.logout(request);
  }

  @Post('held-retry')
  async heldRetry(@CurrentSession() session: Session): Promise<object> {
    session.setAttribute<string>('theme', 'dark');
    await session.save().catch(() => undefined);
    await OutageController.barrier.pass();
    await session.save();
    return { done: true };
  }
}
