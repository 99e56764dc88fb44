import { type INestApplication, Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { RedisSessionModule, type RedisSessionModuleOptions } from 'nestjs-redis-session';

/** Every test of an application runs on each of these. */
export const PLATFORMS = ['express', 'fastify'] as const;

export type Platform = (typeof PLATFORMS)[number];

/** What an application of a test is made of. */
export interface AppParts extends ModuleMetadata {
  /** Of `RedisSessionModule.forRoot`; without, the application has no sessions unless `imports` brings them. */
  readonly options?: RedisSessionModuleOptions;
  /** Whether the platform believes the X-Forwarded headers that come from 127.0.0.1. */
  readonly trustsProxy?: boolean;
  /** Runs before the application starts to listen. */
  readonly prepare?: (app: INestApplication) => void;
}

/** An application that listens on a free port of 127.0.0.1. */
export interface StartedApp {
  readonly app: INestApplication;
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

/** Starts a Nest application as its `main.ts` would; what fails the start rejects. */
export async function startApp(platform: Platform, parts: AppParts): Promise<StartedApp> {
  const { options, trustsProxy = false, prepare, imports = [], ...metadata } = parts;
  @Module({})
  class AppModule {}
  const sessions = options ? [RedisSessionModule.forRoot(options)] : [];
  const root = { module: AppModule, imports: [...sessions, ...imports], ...metadata };
  const app = await NestFactory.create(root, adapterOf(platform, trustsProxy), {
    abortOnError: false,
    forceCloseConnections: true,
    logger: false,
  });
  if (platform === 'express' && trustsProxy) {
    (app as NestExpressApplication).set('trust proxy', 'loopback');
  }
  prepare?.(app);
  await app.listen(0, '127.0.0.1');
  const url = await app.getUrl();
  return { app, url, port: Number(new URL(url).port), close: () => app.close() };
}

function adapterOf(platform: Platform, trustsProxy: boolean): ExpressAdapter | FastifyAdapter {
  if (platform === 'express') return new ExpressAdapter();
  return new FastifyAdapter({ forceCloseConnections: true, trustProxy: trustsProxy });
}
