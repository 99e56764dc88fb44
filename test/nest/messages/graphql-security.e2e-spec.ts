import { setTimeout as delay } from 'node:timers/promises';
import { Body, Controller, Module, Post, Req } from '@nestjs/common';
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { GraphQLModule, Query, Resolver } from '@nestjs/graphql';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  Authenticated,
  CurrentSession,
  CurrentUser,
  LoginService,
  RedisSessionModule,
  RequireAuthorities,
  SecurityContextHolder,
  type Session,
} from 'nestjs-redis-session';
import { Redis } from 'ioredis';
import { Visitor } from '../../../tools/demo/visitor.mjs';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { recordCommands } from '../../support/redis/redis-monitor.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();

@Resolver()
class MemberResolver {
  @Query(() => String)
  @Authenticated()
  async me(@CurrentUser('name') name: string): Promise<string> {
    await delay(1);
    return `${name} ${SecurityContextHolder.getAuthentication()?.name}`;
  }

  @Query(() => String)
  @RequireAuthorities('ADMIN')
  secret(): string {
    return 'secret';
  }

  @Query(() => Number)
  count(@CurrentSession() session: Session): number {
    const count = (session.getAttribute<number>('count') ?? 0) + 1;
    session.setAttribute<number>('count', count);
    return count;
  }
}

@Controller()
class LoginController {
  constructor(private readonly loginService: LoginService) {}

  @Post('login')
  async login(@Req() request: object, @Body() user: object): Promise<void> {
    await this.loginService.login(request, user);
  }
}

@Module({
  imports: [
    RedisSessionModule.forRootAsync({
      useFactory: () => ({
        redis: process.env['TEST_REDIS_URL'],
        namespace: redis.namespace,
        security: { loginPage: '/login' },
      }),
    }),
    GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true }),
  ],
  controllers: [LoginController],
  providers: [MemberResolver],
})
class MembersModule {}

interface Result {
  readonly data: Record<string, unknown> | null;
  readonly errors?: { message: string; extensions: { code: string } }[];
}

describe.each(PLATFORMS)('a GraphQL endpoint, on %s', (platform) => {
  let app: StartedApp;

  beforeAll(async () => {
    app = await startApp(platform, { pod: 'pod-a', imports: [MembersModule] });
  });

  afterAll(() => app.close());

  async function login(name: string, authorities: string[]): Promise<Visitor> {
    const visitor = new Visitor(app.url);
    await visitor.postJson('/login', { name, authorities });
    return visitor;
  }

  async function ask(visitor: Visitor, query: string): Promise<Result> {
    const { status, text } = await visitor.postJson('/graphql', { query });
    expect(status).toBe(200);
    return JSON.parse(text) as Result;
  }

  it('knows the user in decorators and in services', async () => {
    const kim = await login('kim', ['USER']);
    expect(await ask(kim, '{ me }')).toEqual({ data: { me: 'kim kim' } });
  });

  it('answers a visitor with the error UNAUTHENTICATED, not with a redirect', async () => {
    const { data, errors } = await ask(new Visitor(app.url), '{ me }');
    expect(data).toBeNull();
    expect(errors).toMatchObject([
      { message: 'Log in to use this resource.', extensions: { code: 'UNAUTHENTICATED' } },
    ]);
  });

  it('answers a user who may not with the error FORBIDDEN, and keeps him logged in', async () => {
    const kim = await login('kim', ['USER']);
    const { errors } = await ask(kim, '{ secret }');
    expect(errors).toMatchObject([{ extensions: { code: 'FORBIDDEN' } }]);
    expect(await ask(kim, '{ me }')).toEqual({ data: { me: 'kim kim' } });
    const admin = await login('admin', ['ADMIN']);
    expect(await ask(admin, '{ secret }')).toEqual({ data: { secret: 'secret' } });
  });

  it('keeps what resolvers store in the session of the request', async () => {
    const visitor = new Visitor(app.url);
    expect(await ask(visitor, '{ count }')).toEqual({ data: { count: 1 } });
    expect(await ask(visitor, '{ count }')).toEqual({ data: { count: 2 } });
  });
});

describe.each(PLATFORMS)('a GraphQL endpoint with the indexed repository, on %s', (platform) => {
  it('asks once for a session that has ended, however many resolvers need a user', async () => {
    const server = await startRedis();
    @Module({
      imports: [
        RedisSessionModule.forRoot({ redis: server.url, repository: 'indexed' }),
        GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true }),
      ],
      controllers: [LoginController],
      providers: [MemberResolver],
    })
    class IndexedModule {}
    const app = await startApp(platform, { pod: 'pod-a', imports: [IndexedModule] });
    const recorded = await recordCommands(server.url);
    try {
      const kim = new Visitor(app.url);
      await kim.postJson('/login', { name: 'kim', authorities: [] });
      const control = new Redis(server.url);
      const [key = ''] = (await control.keys('*:sessions:*')).filter((name) => name.length > 60);
      const id = key.slice(-32);
      await control.flushdb();
      await control.quit();
      const counts: number[] = [];
      for (const query of ['{ me }', '{ a: me b: me c: me d: me }']) {
        await recorded.take();
        await kim.postJson('/graphql', { query });
        const commands = await recorded.take();
        counts.push(commands.filter((command) => command.join(' ').includes(id)).length);
      }
      expect(counts[0]).toBeGreaterThan(0);
      expect(counts[1]).toBe(counts[0]);
    } finally {
      await app.close();
      await recorded.stop();
      await server.stop();
    }
  });
});
