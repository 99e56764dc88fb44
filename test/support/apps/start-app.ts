import { type INestApplication, Logger, Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterEach } from '@jest/globals';
import { RedisSessionModule, type RedisSessionModuleOptions } from 'nestjs-redis-session';
import request from 'supertest';
import { type TestRedis } from '../redis/test-redis.js';
import { drainable } from './draining-replica.js';
import { type LoggedLines } from './logged-lines.js';

/** Every test of what the platforms do differently runs on each of these. */
export const PLATFORMS = ['express', 'fastify'] as const;

export type Platform = (typeof PLATFORMS)[number];

/** What an application of a test is made of. */
export interface AppParts extends ModuleMetadata {
  /** Of `RedisSessionModule.forRoot`; without, the application has no sessions unless `imports` brings them. */
  readonly options?: RedisSessionModuleOptions | undefined;
  /** Whether the platform believes the X-Forwarded headers that come from 127.0.0.1. */
  readonly trustsProxy?: boolean;
  /** Takes what the application and the library log; without, nothing is logged. */
  readonly log?: LoggedLines | undefined;
  /** Sent as `X-Pod` with every response, for visitors who ask who has answered. */
  readonly pod?: string;
  /** Whether `close` waits for the requests that run, instead of breaking them off. */
  readonly closesGently?: boolean;
  /** Runs before the application starts to listen. */
  readonly prepare?: ((app: INestApplication) => unknown) | undefined;
}

/** An application that listens on 127.0.0.1. */
export interface StartedApp {
  readonly app: INestApplication;
  readonly port: number;
  readonly url: string;
  /** Sends requests, without a memory for cookies. */
  readonly client: ReturnType<typeof request>;
  close(): Promise<void>;
}

/** Makes a Nest application as its `main.ts` would; it does not listen yet. What fails the start rejects. */
export async function createApp(platform: Platform, parts: AppParts): Promise<INestApplication> {
  const {
    options,
    trustsProxy = false,
    log,
    pod,
    closesGently = false,
    prepare,
    ...metadata
  } = parts;
  @Module({})
  class AppModule {}
  const sessions = options ? [RedisSessionModule.forRoot(options)] : [];
  const imports = [...sessions, ...(metadata.imports ?? [])];
  const adapter =
    platform === 'express'
      ? new ExpressAdapter()
      : new FastifyAdapter({
          trustProxy: trustsProxy,
          ...(!closesGently && { forceCloseConnections: true }),
        });
  Logger.overrideLogger(log ?? false);
  const app = await NestFactory.create({ ...metadata, module: AppModule, imports }, adapter, {
    abortOnError: false,
    ...(!closesGently && { forceCloseConnections: true }),
  });
  if (platform === 'express' && trustsProxy) {
    (app as NestExpressApplication).set('trust proxy', 'loopback');
  }
  if (pod !== undefined) drainable(app, pod);
  await prepare?.(app);
  return app;
}

/** Starts a Nest application on `port` of 127.0.0.1, by default a free one. */
export async function startApp(platform: Platform, parts: AppParts, port = 0): Promise<StartedApp> {
  const app = await createApp(platform, parts);
  try {
    await app.listen(port, '127.0.0.1');
  } catch (error) {
    await app.close().catch(() => undefined);
    throw error;
  }
  const url = await app.getUrl();
  const client = request(url);
  return { app, url, port: Number(new URL(url).port), client, close: () => app.close() };
}

/** Where the sessions of a test file are kept. */
export function placeOf(redis: TestRedis): RedisSessionModuleOptions {
  return { redis: process.env['TEST_REDIS_URL'], namespace: redis.namespace };
}

/** Starts an application whose sessions are in the Redis of the run unless `options` say something else. */
export type StartApp = (
  options?: RedisSessionModuleOptions,
  parts?: Omit<AppParts, 'options'>,
) => Promise<StartedApp>;

/**
 * @param shared - what all applications have
 * @returns a function that starts an application, which is stopped after the test
 */
export function useApps(
  platform: Platform,
  redis: TestRedis,
  shared: ModuleMetadata = {},
): StartApp {
  const running: StartedApp[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });
  return async (options = {}, { controllers = [], providers = [], ...parts } = {}) => {
    const place = options.store === undefined ? placeOf(redis) : {};
    const app = await startApp(platform, {
      ...shared,
      ...parts,
      options: { ...place, ...options },
      controllers: [...(shared.controllers ?? []), ...controllers],
      providers: [...(shared.providers ?? []), ...providers],
    });
    running.push(app);
    return app;
  };
}
