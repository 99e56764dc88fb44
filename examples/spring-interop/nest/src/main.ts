import 'reflect-metadata';
import { type ServerResponse } from 'node:http';
import { type INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AppModule } from './app.module.js';
import { environment } from './environment.js';

async function createApp(): Promise<INestApplication> {
  if (environment.platform === 'fastify')
    return NestFactory.create(AppModule, new FastifyAdapter());
  return NestFactory.create(AppModule);
}

const app = await createApp();
app.enableShutdownHooks();
// Before everything else, so that errors and redirects tell the side, too.
app.use((_request: unknown, response: ServerResponse, next: () => void) => {
  response.setHeader('X-Side', 'nest');
  next();
});
await app.listen(environment.port, '127.0.0.1');
