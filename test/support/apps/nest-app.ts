import { type ServerResponse } from 'node:http';
import { type INestApplication, Logger, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';

/** The platforms that every case is tried on. */
export const PLATFORMS = ['express', 'fastify'] as const;

/** One replica in this process, on a free port of 127.0.0.1. */
export interface TestApp {
  readonly nest: INestApplication;
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** What a {@link TestApp} is made of. */
export interface TestAppInit {
  readonly module: Type;
  readonly platform: (typeof PLATFORMS)[number];
  /** Sent as `X-Pod` with every response. @defaultValue 'pod-a' */
  readonly podName?: string;
  /** @defaultValue a free one */
  readonly port?: number;
  /** Called before the application listens. */
  readonly configure?: (nest: INestApplication) => void | Promise<void>;
}

/** Starts `module` as an application of its own. */
export async function startTestApp(init: TestAppInit): Promise<TestApp> {
  const { module, platform, podName = 'pod-a', port = 0, configure } = init;
  Logger.overrideLogger(false);
  const nest =
    platform === 'fastify'
      ? await NestFactory.create(module, new FastifyAdapter())
      : await NestFactory.create(module);
  nest.use((_request: unknown, response: ServerResponse, next: () => void) => {
    response.setHeader('X-Pod', podName);
    next();
  });
  await configure?.(nest);
  await nest.listen(port, '127.0.0.1');
  return { nest, url: await nest.getUrl(), close: () => nest.close() };
}
