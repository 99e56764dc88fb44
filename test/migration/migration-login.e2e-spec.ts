import { migrateFrom } from 'nestjs-redis-session/migration';
import { Controller, Get, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Authenticated, CurrentSession, type Session } from 'nestjs-redis-session';
import supertest from 'supertest';
import { startSessionWriter } from '../support/apps/express-session-writer.js';
import { KIM, LOGIN_PARTS } from '../support/apps/login-parts.js';
import { PLATFORMS, useApps } from '../support/apps/start-app.js';
import { useTestRedis } from '../support/redis/test-redis.js';

@Controller('basket')
class BasketController {
  @Get()
  @Authenticated()
  show(@CurrentSession() session: Session): object {
    return { basket: session.getAttribute<string>('basket') };
  }

  @Post()
  fill(@CurrentSession() session: Session): void {
    session.setAttribute<string>('basket', 'tea');
  }
}

describe.each(PLATFORMS)('a login by LoginGuard in the phase "share" on %s', (platform) => {
  const redis = useTestRedis();
  const secrets = ['a secret of the application that was there before'];

  const startApp = useApps(platform, redis, {
    ...LOGIN_PARTS,
    controllers: [...LOGIN_PARTS.controllers, BasketController],
  });
  const start = async (phase: 'share' | 'move') => {
    const { url } = await startApp({
      features: [
        migrateFrom({
          from: 'express-session',
          phase,
          secrets,
          keyPrefix: `${redis.namespace}:`,
        }),
      ],
    });
    return url;
  };

  const cookieOf = ({ headers }: supertest.Response): string =>
    (headers['set-cookie'] as unknown as string[] | undefined)?.[0]?.split(';')[0] ?? '';

  const idOf = (cookie: string): string => /s%3A([^.]+)\./.exec(cookie)?.[1] ?? '';

  it('changes the id, keeps the attributes, and holds when the session is moved', async () => {
    const [share, move] = [await start('share'), await start('move')];
    const visitor = cookieOf(await supertest(share).post('/basket').expect(201));
    expect(visitor).toMatch(/^connect\.sid=s%3A/);
    const login = supertest(share).post('/login').set('Cookie', visitor).send(KIM);
    const kim = cookieOf(await login.expect(200));
    expect(kim).toMatch(/^connect\.sid=s%3A/);
    expect(kim).not.toBe(visitor);
    await supertest(share).get('/basket').set('Cookie', kim).expect(200, { basket: 'tea' });

    const first = supertest(move).get('/basket').set('Cookie', kim);
    const moved = cookieOf(await first.expect(200, { basket: 'tea' }));
    expect(moved).toMatch(/^SESSION=/);
    for (const url of [share, move]) {
      await supertest(url).get('/basket').set('Cookie', moved).expect(200, { basket: 'tea' });
      await supertest(url).get('/basket').set('Cookie', visitor).expect(401);
    }
  });

  it.each(['share', 'move'] as const)(
    'is none when the application of before writes it, in the phase "%s"',
    async (phase) => {
      const keyPrefix = `${redis.namespace}:`;
      const redisUrl = process.env['TEST_REDIS_URL'] ?? '';
      const writer = await startSessionWriter({ redisUrl, keyPrefix, secret: secrets[0]! });
      const url = await start(phase);
      const share = await start('share');
      const login = supertest(share).post('/login').send(KIM);
      const kim = cookieOf(await login.expect(200));
      const stored = await redis.client.get(keyPrefix + idOf(kim));
      const { SECURITY_CONTEXT: ofKim } = JSON.parse(stored ?? '{}') as Record<string, unknown>;
      expect(ofKim).toBeDefined();

      const authentication = { name: 'kim', authorities: ['ADMIN'], principal: { id: 1 } };
      for (const context of [{ authentication }, ofKim]) {
        const body = JSON.stringify({ theme: 'dark', SECURITY_CONTEXT: context });
        const attacker = cookieOf(await supertest(writer.url).get(`/?${encodeURIComponent(body)}`));
        await supertest(url).get('/basket').set('Cookie', attacker).expect(401);
      }
      await writer.close();
    },
  );

  it('lets nobody in by an id that is not signed', async () => {
    const share = await start('share');
    const visitor = cookieOf(await supertest(share).post('/basket').expect(201));
    const kim = cookieOf(
      await supertest(share).post('/login').set('Cookie', visitor).send(KIM).expect(200),
    );
    const id = idOf(kim);
    for (const cookie of [`connect.sid=${id}`, `connect.sid=s%3A${id}`, `SESSION=${id}`])
      await supertest(share).get('/basket').set('Cookie', cookie).expect(401);
  });
});
