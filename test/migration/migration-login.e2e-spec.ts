import { migrateFrom } from 'nestjs-redis-session/migration';
import { Controller, Get, Post } from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import { Authenticated, CurrentSession, type Session } from 'nestjs-redis-session';
import supertest from 'supertest';
import { KIM, LOGIN_PARTS } from '../support/login-parts.js';
import { PLATFORMS, useApps } from '../support/start-app.js';
import { useTestRedis } from '../support/test-redis.js';

@Controller('basket')
class BasketController {
  @Get()
  @Authenticated()
  show(@CurrentSession() session: Session): object {
    return { basket: session.getAttribute<string>('basket') };
  }

  @Post()
  fill(@CurrentSession() session: Session): void {
    session.setAttribute('basket', 'tea');
  }
}

describe.each(PLATFORMS)('a login by LoginGuard in the phase "share" on %s', (platform) => {
  const apps = useApps();
  const redis = useTestRedis();
  const secrets = ['a secret of the application that was there before'];

  const start = (phase: 'share' | 'move') =>
    apps.start(platform, {
      ...LOGIN_PARTS,
      controllers: [...LOGIN_PARTS.controllers, BasketController],
      options: {
        features: [
          migrateFrom({
            from: 'express-session',
            phase,
            secrets,
            keyPrefix: `${redis.namespace}:`,
          }),
        ],
      },
    });

  const cookieOf = ({ headers }: supertest.Response): string =>
    (headers['set-cookie'] as unknown as string[] | undefined)?.[0]?.split(';')[0] ?? '';

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

  it('lets nobody in by an id that is not signed', async () => {
    const share = await start('share');
    const visitor = cookieOf(await supertest(share).post('/basket').expect(201));
    const kim = cookieOf(
      await supertest(share).post('/login').set('Cookie', visitor).send(KIM).expect(200),
    );
    const id = /s%3A([^.]+)\./.exec(kim)?.[1] ?? '';
    for (const cookie of [`connect.sid=${id}`, `connect.sid=s%3A${id}`, `SESSION=${id}`])
      await supertest(share).get('/basket').set('Cookie', cookie).expect(401);
  });
});
