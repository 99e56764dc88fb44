// An application in a process of its own whose shutdown hook never ends.
// node never-closing-app.mjs <express | fastify> <port>; needs the built library.
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { drainOnShutdown } from '../../../libs/redis-session/dist/index.js';

class AppModule {
  onApplicationShutdown() {
    return new Promise(() => {});
  }
}

const [platform, port] = process.argv.slice(2);
const adapter = platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
const app = await NestFactory.create({ module: AppModule }, adapter, { logger: false });
drainOnShutdown(app, { drainSeconds: 0, deadlineSeconds: 1 });
await app.listen(Number(port), '127.0.0.1');
