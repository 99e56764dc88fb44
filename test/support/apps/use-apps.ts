import { afterEach } from '@jest/globals';
import { type RedisSessionModuleOptions } from 'nestjs-redis-session';
import request from 'supertest';
import { type AppParts, type Platform, type StartedApp, startApp } from './apps.js';
import { SESSION_CONTROLLER_PROVIDERS, SessionController } from './session-controller.js';
import { type TestRedis } from '../redis/test-redis.js';

/** An application with the routes of `SessionController`, and a client without a memory for cookies. */
export interface SessionApp extends StartedApp {
  readonly client: ReturnType<typeof request>;
}

/** Starts one; `options` beside where Redis is, parts beside the controller. */
export type StartSessionApp = (
  options?: RedisSessionModuleOptions,
  parts?: AppParts,
) => Promise<SessionApp>;

/** Where the sessions of a test file are kept. */
export function placeOf(redis: TestRedis): RedisSessionModuleOptions {
  return { redis: process.env['TEST_REDIS_URL'], namespace: redis.namespace };
}

/** @returns a function that starts an application, which is stopped after the test */
export function useApps(platform: Platform, redis: TestRedis): StartSessionApp {
  const running: StartedApp[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });
  return async (options = {}, { controllers = [], providers = [], ...parts } = {}) => {
    const app = await startApp(platform, {
      options: { ...placeOf(redis), ...options },
      controllers: [SessionController, ...controllers],
      providers: [...SESSION_CONTROLLER_PROVIDERS, ...providers],
      ...parts,
    });
    running.push(app);
    return { ...app, client: request(app.url) };
  };
}
