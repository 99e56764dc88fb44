import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import {
  Controller,
  Get,
  type INestApplication,
  Injectable,
  Post,
  Scope,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import { type NestFastifyApplication } from '@nestjs/platform-fastify';
import {
  Authenticated,
  LoginGuard,
  OnSessionEvent,
  RedisSessionModule,
  type RedisSessionModuleOptions,
  RequireAnyAuthority,
  RequireAuthorities,
  SecuredMessages,
  SessionOptionError,
  SessionRepositoryInterceptor,
} from 'nestjs-redis-session';
import { expressSession, redisSession } from 'nestjs-redis-session/express-session';
import { MapSessionRepository, type SessionStore } from 'nestjs-redis-session/store';
import { LoggedLines } from '../support/apps/logged-lines.js';
import { type AppParts, createApp, type Platform } from '../support/apps/start-app.js';

/** One that finds no session by its user. */
const plainStore: SessionStore = {
  name: 'one table',
  createRepository: (options) => new MapSessionRepository(options),
};

@Injectable()
class Listener {
  @OnSessionEvent()
  note(): void {
    // Nothing happens.
  }
}

@Injectable({ scope: Scope.REQUEST })
class ShortLived extends Listener {}

@SecuredMessages()
@Controller()
class Orders {}

@Controller()
class BareLogin {
  @Post('login')
  @UseGuards(LoginGuard('local'))
  login(): void {
    // The strategy does it.
  }
}

@Controller()
@UseInterceptors(SessionRepositoryInterceptor)
class Login extends BareLogin {}

interface Case extends Omit<AppParts, 'options'> {
  readonly options?: RedisSessionModuleOptions;
  readonly platform?: Platform;
}

const indexed = { repository: 'indexed' } as const;
const DELIVERY =
  'indexed.eventDelivery must be "once" or "broadcast" when there is a method with @OnSessionEvent, got "none".';
const UNUSABLE =
  'sessionIdGenerator must return a text that sessionIdPattern matches (by default 16 to 256 characters of A-Z a-z 0-9 _ . ~ -)';
const connected = (app: INestApplication): unknown => app.use(redisSession(app));
const withFastifySession = async (app: INestApplication): Promise<void> => {
  const fastify = app as NestFastifyApplication;
  await fastify.register(fastifyCookie);
  await fastify.register(fastifySession, { secret: 's'.repeat(32) });
};
const ofExpress = { features: [expressSession()] };

/** What an application is refused with at start, the application, and the same one that does what the sentence says. */
const CASES: readonly [sentence: string, wrong: Case, ...right: Case[]][] = [
  [
    'Cannot start with 2 RedisSessionModules: it is global, and a request has one session. Call forRoot once, in the root module.',
    { imports: [RedisSessionModule.forRoot({ store: 'memory' })] },
    {},
  ],
  [
    'security.logout.path must be a path with sessions, got "/logout", which the option exclude covers. Leave it out of exclude.',
    { options: { security: { logout: {} }, exclude: ['logout', 'healthz'] } },
    { options: { security: { logout: {} }, exclude: ['healthz'] } },
  ],
  [
    'repository must be "default" when store is one table, which cannot find sessions by their user, got "indexed".',
    { options: { store: plainStore, ...indexed } },
    { options: { store: plainStore, repository: 'default' } },
  ],
  [
    'Cannot start RedisSessionModule without options. Import RedisSessionModule.forRoot({ … }) once, in the root module. It is global: no other module imports it.',
    { imports: [RedisSessionModule] },
    {},
  ],
  ...(
    [
      ['a text of 3 characters', () => 'abc'],
      ['a text of 32 characters', () => 'a b '.repeat(8)],
      ['the type number', () => 4 as never],
      ['the type object', () => Promise.resolve(randomUUID()) as never],
    ] as const
  ).map(([got, sessionIdGenerator]): (typeof CASES)[number] => [
    `${UNUSABLE}, got ${got}.`,
    { options: { sessionIdGenerator } },
    { options: { sessionIdGenerator: randomUUID } },
  ]),
  [
    `${UNUSABLE}, got a text of 36 characters.`,
    { options: { sessionIdPattern: /^[0-9a-f]+$/, sessionIdGenerator: randomUUID } },
    { options: { sessionIdPattern: /^[0-9a-f-]+$/, sessionIdGenerator: randomUUID } },
  ],
  [
    `${UNUSABLE}, got the type object.`,
    { options: { hashIds: true, sessionIdGenerator: () => Promise.resolve('') as never } },
    { options: { hashIds: true, sessionIdGenerator: () => randomUUID() + randomUUID() } },
  ],
  [
    'Cannot call ShortLived.note with session events: its class is made anew for each request or consumer. Move @OnSessionEvent to a provider with the default scope.',
    { options: { ...indexed, indexed: { eventDelivery: 'once' } }, providers: [ShortLived] },
    { options: { ...indexed, indexed: { eventDelivery: 'once' } }, providers: [Listener] },
  ],
  [
    DELIVERY,
    { options: indexed, providers: [Listener] },
    { options: { ...indexed, indexed: { eventDelivery: 'once' } }, providers: [Listener] },
    { options: { ...indexed, indexed: { eventDelivery: 'broadcast' } }, providers: [Listener] },
  ],
  [
    'Cannot use @SecuredMessages(): the option security is false. Leave out security: false.',
    { options: { security: false }, controllers: [Orders] },
    { controllers: [Orders] },
  ],
  [
    'Cannot start: BareLogin.login logs in, and with interceptor: false nothing redirects afterwards. Put @UseInterceptors(SessionRepositoryInterceptor) on it.',
    { options: { interceptor: false }, controllers: [BareLogin] },
    { options: { interceptor: false }, controllers: [Login] },
  ],
  [
    'exclude must be left out when app.use(redisSession(app)) is used: routes are not known there.',
    { options: { ...ofExpress, exclude: ['healthz'] }, prepare: connected },
    { options: ofExpress, prepare: connected },
  ],
  [
    'Cannot use expressSession(): another plugin already gives requests a session. Do not register @fastify/session.',
    { platform: 'fastify', options: ofExpress, prepare: withFastifySession },
    { platform: 'fastify', options: ofExpress },
  ],
];

describe('The start', () => {
  let app: INestApplication | undefined;

  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  const start = async ({ platform = 'express', options, ...parts }: Case): Promise<LoggedLines> => {
    const log = new LoggedLines();
    const given = { store: 'memory', logger: log, ...options } as const;
    app = await createApp(platform, { ...parts, options: given, log });
    await app.init();
    await app.close();
    app = undefined;
    return log;
  };

  it.each(CASES)('is refused: %s', async (sentence, wrong, ...right) => {
    await expect(start(wrong)).rejects.toThrow(new SessionOptionError(sentence));
    for (const parts of right) await start(parts);
  });

  it('is refused for ids that no request could use before a store is opened', () => {
    const options = { store: 'memory', sessionIdGenerator: () => 'abc' } as const;
    expect(() => RedisSessionModule.forRoot(options)).toThrow(
      new SessionOptionError(`${UNUSABLE}, got a text of 3 characters.`),
    );
  });

  it('warns of a sessionIdPattern that does not match the ids of the library, and happens', async () => {
    const warning =
      'sessionIdPattern does not match the ids of new sessions: no request finds them. Set sessionIdGenerator, too, unless the application opens none.';
    expect((await start({ options: { sessionIdPattern: /^[0-9a-f-]{36}$/ } })).text).toContain(
      warning,
    );
    expect((await start({ options: { sessionIdPattern: /^[\w-]{43}$/ } })).text).not.toContain(
      'sessionIdPattern',
    );
  });

  it.each([
    ['@RequireAuthorities()', RequireAuthorities],
    ['@RequireAnyAuthority()', RequireAnyAuthority],
  ])(
    'is refused for %s without a name, and happens with one, and with @Authenticated()',
    async (name, decorator) => {
      const withRule = (rule: MethodDecorator & ClassDecorator) => {
        @Controller()
        @rule
        class Reports {
          @Get('reports')
          list(): string[] {
            return [];
          }
        }
        return Reports;
      };
      for (const nameless of [[], ['']])
        expect(() => withRule(decorator(...nameless))).toThrow(
          new SessionOptionError(
            `Cannot use ${name} on Reports: it names no authority, or an empty one. Name one, or use @Authenticated().`,
          ),
        );
      for (const rule of [decorator('ADMIN'), Authenticated()])
        await start({ controllers: [withRule(rule)] });
    },
  );
});
