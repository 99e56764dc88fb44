import { randomUUID } from 'node:crypto';
import { type ServerResponse } from 'node:http';
import { type INestApplication, Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';
import { startNginx } from '../../tools/servers/nginx.mjs';
import { describeSampleApp, type RunningApp } from './app/app.contract.js';
import { startOnExpressSession } from './setup/express-session.js';
import { startOnFastifySession } from './setup/fastify-session.js';
import { startOnRedisSession } from './setup/redis-session.js';
import { filesReachedFrom } from './source-tree.js';

Logger.overrideLogger(false);

const PLATFORMS = ['express', 'fastify'] as const;
const redisOptions = () => ({
  redis: process.env['TEST_REDIS_URL'] ?? '',
  namespace: `test:${randomUUID()}`,
});

describeSampleApp('the sample app on express-session', startOnExpressSession);
describeSampleApp('the sample app on @fastify/session', startOnFastifySession);

for (const platform of PLATFORMS) {
  describeSampleApp(`the sample app on nestjs-redis-session and ${platform}`, () =>
    startOnRedisSession({ platform, options: redisOptions() }),
  );
  describeSampleApp(`the sample app on nestjs-redis-session in memory and ${platform}`, () =>
    startOnRedisSession({ platform, options: { store: 'memory' } }),
  );
  describeSampleApp(`the sample app on two replicas behind nginx and ${platform}`, () =>
    startTwoReplicas(platform),
  );
}

describe.each(PLATFORMS)('two replicas of the sample app on %s', (platform) => {
  let app: RunningApp;

  beforeAll(async () => {
    app = await startTwoReplicas(platform);
  });

  afterAll(() => app.close());

  it('know the user and his cart on whichever replica the next request lands', async () => {
    const kim = supertest.agent(app.url);
    await kim.post('/login').send({ username: 'kim', password: 'kim' }).expect(200);
    const pods: unknown[] = [];
    for (let n = 1; n <= 10; n++) {
      const answer = await kim
        .post('/cart')
        .send({ item: `item ${n}` })
        .expect(200);
      expect(answer.body).toHaveLength(n);
      await kim.get('/me').expect(200, { id: 1, name: 'kim' });
      pods.push(answer.headers['x-pod']);
      await kim.get('/views');
    }
    expect([...new Set(pods)].sort()).toEqual(['a', 'b']);
  });
});

describe('the source of the sample app', () => {
  it('is the same for all session libraries but for the set-up', async () => {
    const [onExpress, onFastify, onRedis] = await Promise.all(
      ['express-session', 'fastify-session', 'redis-session'].map((name) =>
        filesReachedFrom(new URL(`./setup/${name}.ts`, import.meta.url)),
      ),
    );
    const withoutSetup = (files: ReadonlyMap<string, string> | undefined) =>
      [...(files ?? [])].filter(([path]) => !path.startsWith('setup/'));
    expect(withoutSetup(onExpress).map(([path]) => path)).toContain('app/auth.controller.ts');
    expect(withoutSetup(onFastify)).toEqual(withoutSetup(onExpress));
    expect(withoutSetup(onRedis)).toEqual(withoutSetup(onExpress));
    for (const [path, source] of withoutSetup(onRedis)) {
      const imported = source.match(
        /from '(?:express-session|@fastify\/\w+|nestjs-redis-session)/g,
      );
      expect([path, imported]).toEqual([path, null]);
    }
  });
});

async function startTwoReplicas(platform: 'express' | 'fastify'): Promise<RunningApp> {
  const options = redisOptions();
  const start = (pod: string) =>
    startOnRedisSession({ platform, options, configure: (app) => nameReplica(app, pod) });
  const replicas = [await start('a'), await start('b')] as const;
  const [portA, portB] = replicas.map(({ url }) => Number(new URL(url).port)) as [number, number];
  const nginx = await startNginx({ upstreamPorts: [portA, portB] });
  return {
    url: nginx.url,
    close: async () => {
      await nginx.stop();
      await Promise.all(replicas.map((replica) => replica.close()));
    },
  };
}

function nameReplica(app: INestApplication, pod: string): void {
  app.use((_request: unknown, response: ServerResponse, next: () => void) => {
    response.setHeader('X-Pod', pod);
    next();
  });
}
