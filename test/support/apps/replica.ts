import { type INestApplication, Logger, Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RedisSessionModule, type RedisSessionModuleOptions } from 'nestjs-redis-session';
import { type LoggedLines } from './logged-lines.js';

/** One of several processes of the same application; it closes without breaking off requests. */
export interface Replica {
  readonly app: INestApplication;
  readonly port: number;
  close(): Promise<void>;
}

/** What a {@link Replica} is made of. */
export interface ReplicaParts extends ModuleMetadata {
  readonly options: RedisSessionModuleOptions;
  /** Takes what the application and the library log; without, nothing is logged. */
  readonly log?: LoggedLines;
}

@Module({})
class ReplicaModule {}

/** Makes an application that does not listen yet. */
export async function createReplica(
  platform: 'express' | 'fastify',
  { options, log, imports = [], ...metadata }: ReplicaParts,
): Promise<INestApplication> {
  const root = {
    ...metadata,
    module: ReplicaModule,
    imports: [RedisSessionModule.forRoot(options), ...imports],
  };
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter();
  Logger.overrideLogger(log ?? false);
  return NestFactory.create(root, adapter, { abortOnError: false });
}

/** Starts an application on a free port of 127.0.0.1. */
export async function startReplica(
  platform: 'express' | 'fastify',
  parts: ReplicaParts,
): Promise<Replica> {
  const app = await createReplica(platform, parts);
  await app.listen(0, '127.0.0.1');
  return {
    app,
    port: Number(new URL(await app.getUrl()).port),
    close: () => app.close(),
  };
}
