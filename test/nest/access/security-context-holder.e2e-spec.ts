import { EventEmitter, once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { Readable, Transform } from 'node:stream';
import { json } from 'node:stream/consumers';
import { setImmediate as nextTurn, setTimeout as delay } from 'node:timers/promises';
import multipart from '@fastify/multipart';
import {
  Body,
  Controller,
  type INestApplication,
  Injectable,
  type MiddlewareConsumer,
  Module,
  Post,
  Req,
  UploadedFile,
  UseInterceptors,
} from '@nestjs/common';
import { FileInterceptor } from '@nestjs/platform-express';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Authenticated,
  CurrentUser,
  LoginService,
  RedisSessionModule,
  SecurityContextHolder,
} from 'nestjs-redis-session';
import { Visitor } from '../../../tools/demo/visitor.mjs';
import { MeetingPoint } from '../../support/waiting/meeting-point.js';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const USERS = Array.from({ length: 50 }, (_, index) => `user-${index}`);
const WAVES = 4;

const redis = useTestRedis();
const arrivals = new EventEmitter();
const meetingPoint = new MeetingPoint(USERS.length);

/** Any service of an application: nobody hands it a request. */
@Injectable()
class Witness {
  whoIsIt(): string {
    return SecurityContextHolder.getAuthentication()?.name ?? 'nobody';
  }

  /** Asks in all the ways in which a request may wait for something. */
  async watch(): Promise<string[]> {
    const seen = [this.whoIsIt()];
    const see = () => void seen.push(this.whoIsIt());
    await meetingPoint.arrive();
    see();
    await delay(1).then(see);
    await nextTurn().then(see);
    await new Promise<void>((resolve) => {
      setTimeout(() => {
        see();
        resolve();
      }, 1);
    });
    await new Promise<void>((resolve) => {
      process.nextTick(() => {
        see();
        resolve();
      });
    });
    const emitter = new EventEmitter().on('done', see);
    setImmediate(() => emitter.emit('done'));
    await once(emitter, 'done');
    const transform = new Transform({
      objectMode: true,
      transform: (chunk, _encoding, done) => {
        see();
        setImmediate(done, null, chunk);
      },
    });
    for await (const chunk of Readable.from(['a', 'b']).pipe(transform)) {
      expect(chunk).toMatch(/a|b/);
      see();
    }
    return seen;
  }
}

@Controller()
class WorkController {
  constructor(
    private readonly witness: Witness,
    private readonly loginService: LoginService,
  ) {}

  @Post('login')
  async login(@Req() request: object, @Body() user: object): Promise<void> {
    await this.loginService.login(request, user);
  }

  @Post('work')
  @Authenticated()
  work(): Promise<string[]> {
    return this.witness.watch();
  }

  @Post('who')
  who(): string[] {
    return [this.witness.whoIsIt()];
  }

  @Post('express-upload')
  @UseInterceptors(FileInterceptor('file'))
  upload(@UploadedFile() file: { buffer: Buffer }): Promise<string[]> {
    return this.watchUpload(file.buffer.toString());
  }

  @Post('fastify-upload')
  async uploadInParts(@Req() request: FileRequest): Promise<string[]> {
    let content = '';
    for await (const chunk of (await request.file()).file) content += String(chunk);
    return this.watchUpload(content);
  }

  private async watchUpload(content: string): Promise<string[]> {
    return [content.slice(0, content.indexOf(' ')), ...(await this.witness.watch())];
  }
}

interface FileRequest {
  file(): Promise<{ file: Readable }>;
}

@Module({
  imports: [
    RedisSessionModule.forRootAsync({
      useFactory: () => ({
        redis: process.env['TEST_REDIS_URL'],
        namespace: redis.namespace,
      }),
    }),
  ],
  controllers: [WorkController],
  providers: [Witness],
})
class WorkModule {
  /** Runs after the middleware of the sessions. */
  configure(consumer: MiddlewareConsumer): void {
    const tell = (_request: unknown, _response: unknown, next: () => void) => {
      next();
      setImmediate(() => arrivals.emit('past middleware'));
    };
    consumer.apply(tell).forRoutes('{*path}');
  }
}

describe.each(PLATFORMS)('SecurityContextHolder in requests, on %s', (platform) => {
  let app: StartedApp;
  let visitors: { user: string; visitor: Visitor }[];

  beforeAll(async () => {
    const configure = async (nest: INestApplication) => {
      if (platform === 'fastify') await (nest as NestFastifyApplication).register(multipart);
    };
    app = await startApp(platform, { pod: 'pod-a', imports: [WorkModule], prepare: configure });
    visitors = USERS.map((user) => ({ user, visitor: new Visitor(app.url) }));
    await Promise.all(
      visitors.map(({ user, visitor }) => visitor.postJson('/login', { name: user })),
    );
  });

  afterAll(() => app.close());

  it('knows each of 50 users in 200 requests that run in turns', async () => {
    for (let wave = 0; wave < WAVES; wave++) {
      await Promise.all(
        visitors.map(async ({ user, visitor }) => {
          const { text } = await visitor.postJson('/work', { padding: 'x'.repeat(2_000) });
          expect([...new Set(JSON.parse(text) as string[])]).toEqual([user]);
        }),
      );
    }
  });

  it('knows each of 50 users in the handlers of 50 uploads that arrive in turns', async () => {
    await Promise.all(
      visitors.map(async ({ user, visitor }) => {
        const form = new FormData();
        form.set('file', new Blob([`${user} ${'x'.repeat(200_000)}`]), 'text.txt');
        const headers = { cookie: await visitor.cookie() };
        const url = `${app.url}/${platform}-upload`;
        const answer = await fetch(url, { method: 'POST', headers, body: form });
        expect([...new Set((await answer.json()) as string[])]).toEqual([user]);
      }),
    );
  });

  it('knows the user when the body arrives long after the head', async () => {
    const [first] = visitors;
    const headers = {
      cookie: (await first?.visitor.cookie()) ?? '',
      'content-type': 'application/json',
    };
    // Express reads bodies before the middleware of modules, Fastify after it.
    const isHeadRead =
      platform === 'express'
        ? once(app.app.getHttpServer() as EventEmitter, 'request')
        : once(arrivals, 'past middleware');
    const outgoing = request(`${app.url}/who`, { method: 'POST', headers });
    outgoing.write('{"late":');
    await isHeadRead;
    outgoing.end('true}');
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(await json(incoming)).toEqual([first?.user]);
  });

  it('knows nobody in a request without a login, and nobody when all are answered', async () => {
    expect((await new Visitor(app.url).postJson('/work', {})).status).toBe(401);
    expect(SecurityContextHolder.getAuthentication()).toBeUndefined();
  });
});

describe.each(PLATFORMS)('with contextHolder: false, on %s', (platform) => {
  @Controller()
  class PlainController {
    constructor(private readonly loginService: LoginService) {}

    @Post('login')
    async login(@Req() request: object, @Body() user: object): Promise<void> {
      await this.loginService.login(request, user);
    }

    @Post('who')
    @Authenticated()
    who(@CurrentUser() user: { name: string }): unknown[] {
      const { runAs, getAuthentication } = SecurityContextHolder;
      const other = { authentication: { ...getAuthentication(), name: 'other' } } as never;
      return [user.name, getAuthentication() ?? 'nobody', runAs(other, getAuthentication)];
    }
  }

  it('handlers know their user, and the holder knows whom runAs says', async () => {
    const sessions = RedisSessionModule.forRoot({
      redis: process.env['TEST_REDIS_URL'],
      namespace: redis.namespace,
      security: { contextHolder: false },
    });
    @Module({ imports: [sessions], controllers: [PlainController] })
    class PlainModule {}
    const app = await startApp(platform, { pod: 'pod-a', imports: [PlainModule] });
    const visitor = new Visitor(app.url);
    await visitor.postJson('/login', { name: 'kim' });

    const { text } = await visitor.postJson('/who', {});
    expect(JSON.parse(text)).toEqual(['kim', 'nobody', { name: 'other' }]);
    await app.close();
  });
});
