import 'reflect-metadata';
import { type ServerResponse } from 'node:http';
import { type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { drainOnShutdown } from 'nestjs-redis-session';
import { AppModule } from './app.module.js';
import { environment } from './environment.js';

/** nginx runs beside us or in the same private network; what it says about the client (https, address) is believed. */
const TRUSTED_PROXIES = ['loopback', 'uniquelocal'];

async function createApp(): Promise<INestApplication> {
  if (environment.platform === 'fastify') {
    return NestFactory.create(AppModule, new FastifyAdapter({ trustProxy: TRUSTED_PROXIES }));
  }
  const app = await NestFactory.create<NestExpressApplication>(AppModule);
  app.set('trust proxy', TRUSTED_PROXIES);
  return app;
}

const app = await createApp();
// Before everything else, so that errors and redirects tell the replica, too.
app.use((_request: unknown, response: ServerResponse, next: () => void) => {
  response.setHeader('X-Pod', environment.podName);
  next();
});
// Forms that other sites send here are refused, by what the browser says about where they come from.
app.enableCsrfProtection();
drainOnShutdown(app, environment.shutdown);
await app.listen(environment.port, environment.host);
