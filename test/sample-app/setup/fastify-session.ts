import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import passport from 'passport';
import { type RunningApp } from '../app/app.contract.js';
import { AppModule } from '../app/app.module.js';

type Hook = (request: object, reply: object, done: (error?: Error) => void) => void;

/** The application with @fastify/session and its memory store. */
export async function startOnFastifySession(): Promise<RunningApp> {
  const app = await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter());
  await app.register(fastifyCookie);
  await app.register(fastifySession, {
    secret: 'a secret of the sample app, long enough',
    cookie: { secure: false },
    saveUninitialized: false,
  });
  const authenticateSession = passport.session() as unknown as Hook;
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('preValidation', authenticateSession as never);
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), close: () => app.close() };
}
