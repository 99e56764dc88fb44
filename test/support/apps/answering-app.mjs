// An application in a process of its own, because what escapes it must not be caught by Jest: answers that Node or the platform
// refuses, or that come twice, each after a change of the session.
// node answering-app.mjs <platform> <url of Redis, or '' for an application without sessions>, forked; needs the built library.
import 'reflect-metadata';
import { Controller, Get, Module, Query, Req, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { SessionRequest } from '../../../libs/redis-session/build/http/request/session-request.js';
import { RedisSessionModule } from '../../../libs/redis-session/build/index.js';

const [platform, redis] = process.argv.slice(2);

async function change(request) {
  const session = await SessionRequest.of(request.raw ?? request)?.getSession();
  session?.setAttribute('answered', true);
}

class AnswersController {
  async header(request, reply, name) {
    await change(request);
    reply.header('X-Name', name);
    return 'x';
  }

  async ownHeader(request, reply, name) {
    await change(request);
    reply.header('X-Name', name).send('x');
  }

  async location(request, reply, name) {
    await change(request);
    reply.status(302).header('Location', `http://example.org/${name}`).send('');
  }

  async throwAfterwards(request, reply) {
    await change(request);
    reply.send('first');
    throw new Error('after the answer');
  }

  async sendTwice(request, reply) {
    await change(request);
    reply.send('first');
    try {
      reply.send('second');
    } catch {
      // Express throws, Fastify writes to its log.
    }
  }

  async objectAsText(request, reply) {
    await change(request);
    reply.header('Content-Type', 'text/plain').send({ a: 1 });
  }
}

const ROUTES = {
  header: Res({ passthrough: true }),
  ownHeader: Res(),
  location: Res(),
  throwAfterwards: Res(),
  sendTwice: Res(),
  objectAsText: Res(),
};
Controller()(AnswersController);
for (const [name, injectReply] of Object.entries(ROUTES)) {
  const { prototype } = AnswersController;
  Get(name)(prototype, name, Object.getOwnPropertyDescriptor(prototype, name));
  [Req(), injectReply, Query('name')].forEach((inject, index) => inject(prototype, name, index));
}

class AppModule {}
const imports = redis ? [RedisSessionModule.forRoot({ redis })] : [];
Module({ controllers: [AnswersController], imports })(AppModule);

const adapter = platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
const app = await NestFactory.create(AppModule, adapter, { logger: false });
await app.listen(0, '127.0.0.1');
process.on('disconnect', () => process.exit());
process.send(app.getHttpServer().address().port);
