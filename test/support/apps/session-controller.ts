import { EventEmitter, once } from 'node:events';
import {
  Body,
  Controller,
  Get,
  HttpCode,
  Inject,
  Post,
  Put,
  Query,
  Req,
  Res,
  type Provider,
} from '@nestjs/common';
import { CurrentSession, RedisSessionError, type Session } from 'nestjs-redis-session';
import { SessionRequest } from '../../../libs/redis-session/src/http/request/session-request.js';
import { rawRequestOf, rawResponseOf } from '../../../libs/redis-session/src/nest/call-context.js';

/** What the controller says of a session. */
export interface SessionView {
  readonly id: string;
  readonly isNew: boolean;
  readonly creationTime: number;
  readonly lastAccessedTime: number;
  readonly maxInactiveIntervalSeconds: number;
  readonly attributes: Record<string, unknown>;
}

/** What a response says of a session. */
export function sessionViewOf(response: { readonly body: unknown }): SessionView {
  return response.body as SessionView;
}

/** Where handlers tell what a response cannot say, and wait for `go-on`. */
export class SessionSignals extends EventEmitter {}

/** Makes everything that can be done to a session a route. */
@Controller()
export class SessionController {
  constructor(@Inject(SessionSignals) private readonly signals: SessionSignals) {}

  @Get('session')
  show(@CurrentSession() session: Session): SessionView {
    return viewOf(session);
  }

  @Get('session-if-any')
  async showIfAny(@Req() request: object): Promise<{ exists: boolean }> {
    const session = await requestOf(request).getSession({ create: false });
    return { exists: session !== undefined };
  }

  @Get('untouched')
  leaveUntouched(): string {
    return 'untouched';
  }

  /** Sets the attributes of the body; null removes one. */
  @Put('attributes')
  setAttributes(
    @CurrentSession() session: Session,
    @Body() attributes: Record<string, unknown>,
  ): SessionView {
    for (const [name, value] of Object.entries(attributes)) {
      session.setAttribute(name, value ?? undefined);
    }
    return viewOf(session);
  }

  @Put('interval')
  setInterval(@CurrentSession() session: Session, @Query('seconds') seconds: string): void {
    session.maxInactiveIntervalSeconds = Number(seconds);
  }

  @Post('id')
  @HttpCode(200)
  changeId(@CurrentSession() session: Session): { before: string; returned: string; id: string } {
    const before = session.id;
    const returned = session.changeSessionId();
    return { before, returned, id: session.id };
  }

  /** Ends the session. @returns the code of the error that each use of it throws from then on */
  @Post('invalidate')
  @HttpCode(200)
  async invalidate(@CurrentSession() session: Session): Promise<Record<string, unknown>> {
    await session.invalidate();
    const uses: Record<string, () => unknown> = {
      attributeNames: () => session.attributeNames,
      changeSessionId: () => session.changeSessionId(),
      creationTime: () => session.creationTime,
      isNew: () => session.isNew,
      lastAccessedTime: () => session.lastAccessedTime,
      getAttribute: () => session.getAttribute<number>('a'),
      id: () => session.id,
      invalidate: () => session.invalidate(),
      isInvalidated: () => session.isInvalidated,
      removeAttribute: () => session.removeAttribute<string>('a'),
      setAttribute: () => session.setAttribute<number>('a', 1),
      update: () => session.update<unknown>('a', () => 1),
    };
    const outcomes = Object.entries(uses).map(async ([name, use]) => [name, await codeOf(use)]);
    return Object.fromEntries(await Promise.all(outcomes)) as Record<string, unknown>;
  }

  /** Ends the session and starts another one. */
  @Post('restart')
  async restart(
    @Req() request: object,
    @CurrentSession() session: Session,
  ): Promise<{ ended: string; started: string }> {
    session.setAttribute<boolean>('before', true);
    await session.invalidate();
    const next = await requestOf(request).getSession();
    next.setAttribute('after', true);
    return { ended: session.id, started: next.id };
  }

  /** Asks for the session twice at once. */
  @Post('twice')
  async askTwice(@Req() request: object): Promise<{ isSame: boolean }> {
    const sessionRequest = requestOf(request);
    const sessions = await Promise.all([sessionRequest.getSession(), sessionRequest.getSession()]);
    return { isSame: sessions[0] === sessions[1] };
  }

  /** Sends the response, and then does what needs one that is not sent; emits `too-late` with the error's code. */
  @Get('too-late')
  async useTooLate(
    @Req() request: object,
    @Res() response: object,
    @Query('action') action: string,
  ): Promise<void> {
    rawResponseOf(response).end('sent');
    const code = await codeOf(async () => {
      const session = await requestOf(request).getSession();
      if (action === 'change-id') session.changeSessionId();
      if (action === 'set') session.setAttribute('late', true);
    });
    this.signals.emit('too-late', code);
  }

  /** Sets an attribute and then answers when it is told to. */
  @Post('wait')
  async setAndWait(@CurrentSession() session: Session): Promise<void> {
    const isToldToGoOn = once(this.signals, 'go-on');
    session.setAttribute<boolean>('waiting', true);
    await isToldToGoOn;
  }
}

/** An application's parts that make {@link SessionController} its routes. */
export const SESSION_ROUTES = {
  controllers: [SessionController],
  providers: [SessionSignals] as Provider[],
};

function requestOf(request: object): SessionRequest {
  const sessionRequest = SessionRequest.of(rawRequestOf(request));
  if (!sessionRequest) throw new Error('The route has no sessions.');
  return sessionRequest;
}

function viewOf(session: Session): SessionView {
  const { id, isNew, creationTime, lastAccessedTime, maxInactiveIntervalSeconds } = session;
  const attributes = session.attributeNames.map((name) => [name, session.getAttribute(name)]);
  return {
    id,
    isNew,
    creationTime: creationTime.getTime(),
    lastAccessedTime: lastAccessedTime.getTime(),
    maxInactiveIntervalSeconds,
    attributes: Object.fromEntries(attributes) as Record<string, unknown>,
  };
}

async function codeOf(use: () => unknown): Promise<string> {
  try {
    await use();
    return 'none';
  } catch (error) {
    return error instanceof RedisSessionError ? error.code : String(error);
  }
}
