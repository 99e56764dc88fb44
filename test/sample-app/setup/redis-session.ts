import { expressSession } from 'nestjs-redis-session/express-session';
import { type INestApplication, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RedisSessionModule, type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { type RunningApp } from '../app/app.contract.js';
import { AppModule } from '../app/app.module.js';

/** Where the application runs and where its sessions are. */
export interface RedisSessionSetup {
  readonly platform: 'express' | 'fastify';
  readonly options: RedisSessionModuleOptions;
  /** A free one unless given. */
  readonly port?: number;
  /** Called before the application listens. */
  readonly configure?: (app: INestApplication) => void;
}

/** The application with this library. */
export async function startOnRedisSession(setup: RedisSessionSetup): Promise<RunningApp> {
  const adapter = setup.platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
  const app = await NestFactory.create(rootModule(setup.options), adapter);
  setup.configure?.(app);
  await app.listen(setup.port ?? 0, '127.0.0.1');
  return { url: await app.getUrl(), close: () => app.close() };
}

function rootModule(options: RedisSessionModuleOptions): Type {
  const features = [...(options.features ?? []), expressSession({ passport: true })];
  @Module({
    imports: [RedisSessionModule.forRoot({ ...options, features }), AppModule],
  })
  class RootModule {}
  return RootModule;
}
