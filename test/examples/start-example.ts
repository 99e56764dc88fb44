import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from '@jest/globals';
import { type Browser } from 'playwright-core';
import { type RedisServer } from '../../tools/servers/redis-server.mjs';
import { startBrowser } from '../support/http/browser.js';
import { startRedis } from '../support/redis/redis-server.js';
import { execa } from 'execa';
import getPort from 'get-port';
import { startBackgroundProcess } from '../../tools/servers/background-process.mjs';
import { waitUntilListening } from '../../tools/servers/wait-until-ready.mjs';

/** An example that runs as a process of its own, with the built library. */
export interface Example {
  readonly url: string;
  stop(): Promise<void>;
}

/** Runs `npm run build` in the folder of an example. */
export async function buildExample(name: string, folder = folderOf(name)): Promise<void> {
  await execa('npm', ['run', 'build'], { cwd: folder, all: true });
}

/** Starts a program of a built example on `port` of this machine, by default on a free one. */
export async function startExample(
  name: string,
  { program = 'dist/main.js', env = {}, port, folder = folderOf(name) }: StartOptions = {},
): Promise<Example> {
  const used = port ?? (await getPort({ host: '127.0.0.1' }));
  const server = startBackgroundProcess(process.execPath, [program], {
    cwd: folder,
    env: { ...env, PORT: String(used) },
  });
  await waitUntilListening(`${program} of examples/${name}`, server, used);
  return { url: `http://127.0.0.1:${used}`, stop: server.stop };
}

interface StartOptions {
  readonly program?: string;
  readonly env?: Record<string, string>;
  readonly port?: number;
  readonly folder?: string;
}

export function folderOf(name: string): string {
  return fileURLToPath(new URL(`../../examples/${name}`, import.meta.url));
}

/** An example on two replicas, and a browser. */
export interface RunningExample {
  browser: Browser;
  example: Example;
  replica: Example;
}

/** Builds the example `name` and starts it before the tests of this file. Stops everything after them. */
export function useExample(name: string): RunningExample {
  const running = {} as RunningExample;
  let redis: RedisServer;
  beforeAll(async () => {
    redis = await startRedis();
    await buildExample(name);
    const env = { REDIS_URL: redis.url };
    running.example = await startExample(name, { env });
    running.replica = await startExample(name, { env });
    running.browser = await startBrowser();
  });
  afterAll(async () => {
    await running.browser.close();
    await Promise.all([running.example.stop(), running.replica.stop()]);
    await redis.stop();
  });
  return running;
}
