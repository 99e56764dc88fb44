import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  ConflictException,
  Controller,
  createParamDecorator,
  type ExecutionContext,
  Get,
  HttpCode,
  Post,
  Query,
  Redirect,
  Res,
  Sse,
  StreamableFile,
  type Type,
} from '@nestjs/common';
import { type Response } from 'express';
import { type FastifyReply } from 'fastify';
import { type Session } from 'nestjs-redis-session';
import { from, type Observable } from 'rxjs';
import { SessionRequest } from '../../../libs/redis-session/src/http/request/session-request.js';
import { rawRequestOf } from '../../../libs/redis-session/src/nest/call-context.js';
import { type Platform } from './start-app.js';

/** Longer than what all buffers between a server and a client hold. */
const BIG_BODY = randomBytes(5 * 1024 * 1024);
const CHUNK_LENGTH = 65_536;

/** The session of the request; undefined in an application without `RedisSessionModule`. */
const OptionalSession = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  SessionRequest.of(rawRequestOf(context.switchToHttp().getRequest()))?.getSession(),
);

/** 5 MB of one random pattern per test run, in chunks of 64 kB. */
export function bigSource(): Readable {
  const count = BIG_BODY.length / CHUNK_LENGTH;
  const chunks = Array.from({ length: count }, (_, index) =>
    BIG_BODY.subarray(index * CHUNK_LENGTH, (index + 1) * CHUNK_LENGTH),
  );
  return Readable.from(chunks, { objectMode: false });
}

function keep(session: Session | undefined, value: string): void {
  session?.setAttribute<string>('value', value);
}

/** Every handler changes the attribute `value` of the session to the query's `value`, and answers in its own way. */
@Controller()
class AnsweringController {
  @Get('value')
  value(@OptionalSession() session: Session): { value: unknown } {
    return { value: session.getAttribute<string>('value') };
  }

  @Post('value')
  start(@OptionalSession() session: Session): void {
    keep(session, 'start');
  }

  @Get('return-value')
  returnValue(@OptionalSession() session: Session, @Query('value') value: string): object {
    keep(session, value);
    return { kept: true };
  }

  @Get('redirect')
  @Redirect('/elsewhere', 302)
  redirect(@OptionalSession() session: Session, @Query('value') value: string): void {
    keep(session, value);
  }

  @Get('http-exception')
  throwHttpException(@OptionalSession() session: Session, @Query('value') value: string): void {
    keep(session, value);
    throw new ConflictException('taken');
  }

  @Get('error')
  throwError(@OptionalSession() session: Session, @Query('value') value: string): void {
    keep(session, value);
    throw new Error('the handler failed');
  }

  @Get('streamable-file')
  file(@OptionalSession() session: Session, @Query('value') value: string): StreamableFile {
    keep(session, value);
    const chunks = [Buffer.from('first '), Buffer.from('second')];
    return new StreamableFile(Readable.from(chunks, { objectMode: false }));
  }

  @Get('no-content')
  @HttpCode(204)
  noContent(@OptionalSession() session: Session, @Query('value') value: string): void {
    keep(session, value);
  }

  @Sse('events')
  events(
    @OptionalSession() session: Session,
    @Query('value') value: string,
  ): Observable<{ data: string }> {
    keep(session, value);
    return from([{ data: 'first' }, { data: 'second' }]);
  }
}

@Controller()
class ExpressAnsweringController extends AnsweringController {
  @Get('res-json')
  json(
    @OptionalSession() session: Session,
    @Query('value') value: string,
    @Res() response: Response,
  ): void {
    keep(session, value);
    response.json({ kept: true });
  }

  @Get('res-send')
  send(
    @OptionalSession() session: Session,
    @Query('value') value: string,
    @Res() response: Response,
  ): void {
    keep(session, value);
    response.send('kept');
  }

  @Get('res-redirect')
  sendRedirect(
    @OptionalSession() session: Session,
    @Query('value') value: string,
    @Res() response: Response,
  ): void {
    keep(session, value);
    response.redirect('/elsewhere');
  }

  @Get('res-end')
  end(
    @OptionalSession() session: Session,
    @Query('value') value: string,
    @Res() response: Response,
  ): void {
    keep(session, value);
    response.status(202).end('kept');
  }

  @Get('pipe')
  pipe(
    @OptionalSession() session: Session,
    @Query('value') value: string,
    @Res() response: Response,
  ): void {
    keep(session, value);
    bigSource().pipe(response);
  }
}

@Controller()
class FastifyAnsweringController extends AnsweringController {
  @Get('res-json')
  json(
    @OptionalSession() session: Session,
    @Query('value') value: string,
    @Res() reply: FastifyReply,
  ): void {
    keep(session, value);
    void reply.send({ kept: true });
  }

  @Get('res-send')
  send(
    @OptionalSession() session: Session,
    @Query('value') value: string,
    @Res() reply: FastifyReply,
  ): void {
    keep(session, value);
    void reply.send('kept');
  }

  @Get('res-redirect')
  sendRedirect(
    @OptionalSession() session: Session,
    @Query('value') value: string,
    @Res() reply: FastifyReply,
  ): void {
    keep(session, value);
    void reply.redirect('/elsewhere', 302);
  }

  @Get('res-end')
  end(
    @OptionalSession() session: Session,
    @Query('value') value: string,
    @Res() reply: FastifyReply,
  ): void {
    keep(session, value);
    reply.raw.statusCode = 202;
    reply.raw.end('kept');
  }

  @Get('pipe')
  pipe(
    @OptionalSession() session: Session,
    @Query('value') value: string,
    @Res() reply: FastifyReply,
  ): void {
    keep(session, value);
    void reply.send(bigSource());
  }

  @Get('hijack')
  hijack(
    @OptionalSession() session: Session,
    @Query('value') value: string,
    @Res() reply: FastifyReply,
  ): void {
    keep(session, value);
    reply.hijack();
    reply.raw.writeHead(200, { 'Content-Type': 'text/plain' });
    reply.raw.write('first ');
    reply.raw.end('second');
  }

  @Get('hijack-pipe')
  hijackAndPipe(
    @OptionalSession() session: Session,
    @Query('value') value: string,
    @Res() reply: FastifyReply,
  ): void {
    keep(session, value);
    reply.hijack();
    bigSource().pipe(reply.raw);
  }
}

/** The controller that answers in all ways of a platform. */
export const ANSWERING_CONTROLLERS: Record<Platform, Type> = {
  express: ExpressAnsweringController,
  fastify: FastifyAnsweringController,
};

/** One way of answering: what is asked, and the status and a part of the body of the answer. */
export interface WayToAnswer {
  readonly title: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

const way = (title: string, path: string, { status = 200, method = 'GET' } = {}): WayToAnswer => ({
  title,
  method,
  path,
  status,
});

const COMMON_WAYS = [
  way('a return value', '/return-value'),
  way('@Redirect', '/redirect', { status: 302 }),
  way('a thrown HttpException', '/http-exception', { status: 409 }),
  way('a thrown Error', '/error', { status: 500 }),
  way('@Res() with JSON', '/res-json'),
  way('@Res() with text', '/res-send'),
  way('@Res() with a redirect', '/res-redirect', { status: 302 }),
  way('@Res() with end', '/res-end', { status: 202 }),
  way('StreamableFile', '/streamable-file'),
  way('a pipe of 5 MB', '/pipe'),
  way('@Sse', '/events'),
  way('204', '/no-content', { status: 204 }),
  way('HEAD', '/return-value', { method: 'HEAD' }),
];

/** All ways in which the controllers of a platform answer. */
export const WAYS_TO_ANSWER: Record<Platform, readonly WayToAnswer[]> = {
  express: COMMON_WAYS,
  fastify: [
    ...COMMON_WAYS,
    way('reply.raw after hijack', '/hijack'),
    way('a pipe of 5 MB into reply.raw', '/hijack-pipe'),
  ],
};
