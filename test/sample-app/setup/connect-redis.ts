import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import { type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { RedisStore } from 'connect-redis';
import session from 'express-session';
import passport from 'passport';
import { createClient } from 'redis';
import { type RunningApp } from '../app/app.contract.js';
import { AppModule } from '../app/app.module.js';

/** Where the sessions are, and where the application listens. */
export interface ConnectRedisSetup {
  readonly redisUrl: string;
  readonly keyPrefix: string;
  readonly secret: string;
  /** Milliseconds; none unless given. */
  readonly maxAge?: number;
  /** A free one unless given. */
  readonly port?: number;
  /** Called before the application listens. */
  readonly configure?: (app: INestApplication) => void;
}

/** The application with express-session or @fastify/session, and connect-redis. */
export async function startOnConnectRedis(
  from: 'express-session' | '@fastify/session',
  setup: ConnectRedisSetup,
): Promise<RunningApp> {
  const client = createClient({ url: setup.redisUrl });
  await client.connect();
  const store = new RedisStore({ client, prefix: setup.keyPrefix });
  const start = from === 'express-session' ? createOnExpress : createOnFastify;
  const app = await start(setup, store);
  setup.configure?.(app);
  await app.listen(setup.port ?? 0, '127.0.0.1');
  const close = async () => {
    await app.close();
    await client.close();
  };
  return { url: await app.getUrl(), close };
}

async function createOnExpress(
  { secret, maxAge }: ConnectRedisSetup,
  store: RedisStore,
): Promise<INestApplication> {
  const app = await NestFactory.create(AppModule);
  const cookie = maxAge === undefined ? {} : { maxAge };
  app.use(session({ secret, store, cookie, resave: false, saveUninitialized: false }));
  app.use(passport.session());
  return app;
}

type Hook = (request: object, reply: object, done: (error?: Error) => void) => void;

async function createOnFastify(
  { secret, maxAge }: ConnectRedisSetup,
  store: RedisStore,
): Promise<INestApplication> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter());
  await app.register(fastifyCookie);
  await app.register(fastifySession, {
    secret,
    store,
    cookie: { secure: false, ...(maxAge !== undefined && { maxAge }) },
    saveUninitialized: false,
  });
  const authenticateSession = passport.session() as unknown as Hook;
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addHook('preValidation', authenticateSession as never);
  return app;
}
