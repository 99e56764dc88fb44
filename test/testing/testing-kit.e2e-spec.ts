import { expressSession } from 'nestjs-redis-session/express-session';
import {
  Controller,
  Get,
  type INestApplication,
  Module,
  Post,
  Req,
  Session as SessionOf,
} from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  Authenticated,
  CurrentUser,
  RedisSessionModule,
  type RedisSessionModuleOptions,
} from 'nestjs-redis-session';
import { type ExpressSession } from 'nestjs-redis-session/express-session';
import {
  loginAs,
  RedisSessionTestingModule,
  sessionOf,
  TestClock,
  withMemorySessions,
} from 'nestjs-redis-session/testing';
import supertest from 'supertest';
import { HeaderSessionIdResolver } from 'nestjs-redis-session/http';
import { UserSerializer } from '../sample-app/app/user.serializer.js';
import { PLATFORMS } from '../support/apps/start-app.js';

const KIM = { id: 1, name: 'kim', roles: ['USER'] };
const UNREACHABLE = 'redis://127.0.0.1:1';

@Controller()
class ShopController {
  @Get('me')
  @Authenticated()
  me(@CurrentUser('name') name: string) {
    return name;
  }

  @Get('user')
  user(@Req() { user }: { user?: object }) {
    return user;
  }

  @Post('cart')
  add(@SessionOf() session: ExpressSession) {
    session['cart'] = ['tea'];
  }

  @Get('cart')
  cart(@SessionOf() session: ExpressSession) {
    return session['cart'] ?? [];
  }

  @Post('end')
  async end(@SessionOf() session: ExpressSession) {
    await session.destroy();
  }
}

function appModule(options: Partial<RedisSessionModuleOptions>) {
  @Module({
    imports: [
      RedisSessionModule.forRootAsync({
        useFactory: () => ({ redis: UNREACHABLE, maxInactiveIntervalSeconds: 60, ...options }),
      }),
    ],
    controllers: [ShopController],
    providers: [UserSerializer],
  })
  class AppModule {}
  return AppModule;
}

describe.each(PLATFORMS)('nestjs-redis-session/testing on %s', (platform) => {
  let app: INestApplication;
  let clock: TestClock;

  afterEach(() => app.close());

  async function start(builder: ReturnType<typeof Test.createTestingModule>): Promise<object> {
    const testing = await builder.compile();
    if (platform === 'express') {
      app = await testing.createNestApplication(new ExpressAdapter()).init();
    } else {
      const adapter = new FastifyAdapter();
      app = await testing.createNestApplication<NestFastifyApplication>(adapter).init();
      await adapter.getInstance().ready();
    }
    return app.getHttpServer() as object;
  }

  async function agentOf(
    options: Partial<RedisSessionModuleOptions> = { features: [expressSession()] },
  ) {
    clock = new TestClock();
    const builder = Test.createTestingModule({ imports: [appModule(options)] });
    return supertest.agent((await start(withMemorySessions(builder, clock))) as never);
  }

  it('runs an application without its Redis', async () => {
    const agent = await agentOf();
    await agent.post('/cart').expect(201);
    await agent.get('/cart').expect(200, ['tea']);
  });

  it('ends a session when the clock of the test says so', async () => {
    const agent = await agentOf();
    await agent.post('/cart');
    clock.advanceSeconds(59);
    await agent.get('/cart').expect(200, ['tea']);
    clock.advanceSeconds(60);
    await agent.get('/cart').expect(200, []);
  });

  it('logs in without a password, and keeps what the visitor had', async () => {
    const agent = await agentOf();
    await agent.get('/me').expect(401);
    await agent.post('/cart');
    await loginAs(agent, KIM);
    await agent.get('/me').expect(200, 'kim');
    await agent.get('/cart').expect(200, ['tea']);
  });

  it('logs in for passport, too', async () => {
    const agent = await agentOf({ features: [expressSession({ passport: true })] });
    await loginAs(agent, KIM);
    await agent.get('/user').expect(200, KIM);
    const session = await sessionOf(await agent.get('/me').expect(200, 'kim'));
    expect(session?.getAttribute<object>('passport')).toEqual({ user: 1 });
  });

  it('logs in a client that sends the id in a header', async () => {
    const sessionIdResolver = HeaderSessionIdResolver.xAuthToken();
    const agent = await agentOf({ sessionIdResolver, features: [expressSession()] });
    await loginAs(agent, KIM);
    const response = await agent.get('/me').expect(200, 'kim');
    expect((await sessionOf(response))?.attributeNames).toEqual(['SECURITY_CONTEXT']);
  });

  it('reads what is stored for the client of a response', async () => {
    const agent = await agentOf();
    expect(await sessionOf(await agent.get('/cart'))).toBeUndefined();
    const stored = await sessionOf(await agent.post('/cart'));
    expect(stored?.getAttribute('cart')).toEqual(['tea']);
    const read = await sessionOf(await agent.get('/cart'));
    expect(read?.id).toBe(stored?.id);
    expect(await sessionOf(await agent.post('/end'))).toBeUndefined();
  });

  it('says what to do when the agent was given an address', async () => {
    await agentOf();
    const refused = loginAs(supertest.agent('http://127.0.0.1:1'), KIM);
    await expect(refused).rejects.toThrow(
      'Cannot find the sessions of the application: supertest must be given its server, and its module must use withMemorySessions() or RedisSessionTestingModule. Use supertest.agent(app.getHttpServer()) after app.init().',
    );
  });

  it('is a module of its own for tests without an application', async () => {
    const testing = RedisSessionTestingModule.forRoot({ features: [expressSession()] });
    const server = await start(
      Test.createTestingModule({ imports: [testing], controllers: [ShopController] }),
    );
    const agent = supertest.agent(server as never);
    await agent.post('/cart').expect(201);
    app.get(TestClock).advanceSeconds(1800);
    await agent.get('/cart').expect(200, []);
  });
});
