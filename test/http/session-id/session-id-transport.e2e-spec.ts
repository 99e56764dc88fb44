import { describe, expect, it } from '@jest/globals';
import {
  CompositeSessionIdResolver,
  HeaderSessionIdResolver,
  type SessionIdResolver,
} from 'nestjs-redis-session/http';
import { resolveCookieOptions } from '../../../libs/redis-session/src/http/session-id/cookie-options.js';
import { CookieSessionIdResolver } from '../../../libs/redis-session/src/http/session-id/session-id-resolver.js';
import { PLATFORMS, type StartedApp, useApps } from '../../support/apps/start-app.js';
import { sessionCookieLinesOf, sessionCookieOf } from '../../support/http/session-cookie.js';
import { SESSION_ROUTES, sessionViewOf } from '../../support/apps/session-controller.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const OLD_SECRET = 'the secret that was used until last week';
const NEW_SECRET = 'the secret that is used from this week on';

const unknownCookie = (letter: string): string => `SESSION=${letter.repeat(43)}`;

function cookieResolver(): SessionIdResolver {
  return CookieSessionIdResolver.of({ ...resolveCookieOptions(), isSecure: () => false });
}

describe.each(PLATFORMS)('the session id between client and server on %s', (platform) => {
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);

  async function startSession({ client }: StartedApp, attributes = {}): Promise<string> {
    return sessionCookieOf(await client.put('/attributes').send({ a: 1, ...attributes }));
  }

  describe('several cookies of the name', () => {
    it('are all looked up, and the client is told the id that was found', async () => {
      const app = await start();
      const valid = await startSession(app);
      const cookies = [unknownCookie('A'), valid, unknownCookie('B')].join('; ');
      const response = await app.client.get('/session').set('Cookie', cookies);
      expect(sessionViewOf(response).attributes).toEqual({ a: 1 });
      expect(sessionCookieOf(response)).toBe(valid);
    });

    it('need no new one when the first is found', async () => {
      const app = await start();
      const valid = await startSession(app);
      const cookies = `${valid}; ${unknownCookie('A')}`;
      const response = await app.client.get('/session').set('Cookie', cookies);
      expect(sessionViewOf(response).attributes).toEqual({ a: 1 });
      expect(sessionCookieLinesOf(response)).toEqual([]);
    });
  });

  describe('a cookie whose session is gone', () => {
    it('stays, as the session may have been ended by a request that is answered later', async () => {
      const { client } = await start();
      const response = await client.get('/session').set('Cookie', unknownCookie('A'));
      expect(sessionCookieLinesOf(response)).toEqual([]);
    });
  });

  describe('HeaderSessionIdResolver', () => {
    const options = { sessionIdResolver: HeaderSessionIdResolver.xAuthToken() };

    it('carries the id in a header, and sets no cookie', async () => {
      const { client } = await start(options);
      const first = await client.put('/attributes').send({ a: 1 });
      const token = first.headers['x-auth-token'] as string;
      expect(token).toBe(sessionViewOf(first).id);
      expect(sessionCookieLinesOf(first)).toEqual([]);
      const next = await client.get('/session').set('X-Auth-Token', token);
      expect(sessionViewOf(next).attributes).toEqual({ a: 1 });
      expect(next.headers['x-auth-token']).toBeUndefined();
    });

    it('empties the header when the session was invalidated', async () => {
      const { client } = await start(options);
      const first = await client.put('/attributes').send({ a: 1 });
      const token = first.headers['x-auth-token'] as string;
      const response = await client.post('/invalidate').set('X-Auth-Token', token);
      expect(response.headers['x-auth-token']).toBe('');
    });
  });

  describe('CompositeSessionIdResolver', () => {
    it('finds the session by cookie and by header, and tells the client both', async () => {
      const resolvers = [cookieResolver(), HeaderSessionIdResolver.xAuthToken()];
      const sessionIdResolver = new CompositeSessionIdResolver(resolvers);
      const { client } = await start({ sessionIdResolver });
      const first = await client.put('/attributes').send({ a: 1 });
      const token = first.headers['x-auth-token'] as string;
      expect(sessionCookieOf(first)).toBe(`SESSION=${token}`);
      const answers = await Promise.all([
        client.get('/session').set('X-Auth-Token', token),
        client.get('/session').set('Cookie', `SESSION=${token}`),
      ]);
      expect(answers.map((answer) => sessionViewOf(answer).id)).toEqual([token, token]);
    });
  });

  describe('cookie.rolling', () => {
    it('defaults to false: a known session gets no cookie', async () => {
      const app = await start({ cookie: { maxAgeSeconds: 600 } });
      const valid = await startSession(app);
      const response = await app.client.get('/session').set('Cookie', valid);
      expect(sessionCookieLinesOf(response)).toEqual([]);
    });

    it('sends the cookie and its Max-Age with every answer', async () => {
      const app = await start({ cookie: { maxAgeSeconds: 600, rolling: true } });
      const valid = await startSession(app);
      const response = await app.client.get('/untouched').set('Cookie', valid);
      expect(sessionCookieOf(response)).toBe(valid);
      expect(sessionCookieLinesOf(response)[0]).toContain('; Max-Age=600;');
    });

    it('sends none to a visitor without a session', async () => {
      const { client } = await start({ cookie: { maxAgeSeconds: 600, rolling: true } });
      expect(sessionCookieLinesOf(await client.get('/session'))).toEqual([]);
    });
  });

  describe("cookie.secure 'auto'", () => {
    const isSecureCookie = async (
      app: StartedApp,
      headers: Record<string, string>,
    ): Promise<boolean> => {
      const response = await app.client.put('/attributes').set(headers).send({ a: 1 });
      return sessionCookieLinesOf(response)[0]?.includes('; Secure') ?? false;
    };

    it('is Secure when a trusted proxy says that the client came over https', async () => {
      const app = await start({}, { trustsProxy: true });
      expect(await isSecureCookie(app, { 'X-Forwarded-Proto': 'https' })).toBe(true);
    });

    it('is not Secure when a trusted proxy says http, or nothing', async () => {
      const app = await start({}, { trustsProxy: true });
      expect(await isSecureCookie(app, { 'X-Forwarded-Proto': 'http' })).toBe(false);
      expect(await isSecureCookie(app, {})).toBe(false);
    });

    it('does not believe anybody who is not a trusted proxy', async () => {
      const app = await start();
      expect(await isSecureCookie(app, { 'X-Forwarded-Proto': 'https' })).toBe(false);
    });
  });

  describe('a cookie without Secure', () => {
    const warned: string[] = [];
    const logger = { warn: (line: string) => warned.push(line), error: () => undefined };
    const setTwice = async ({ client }: StartedApp, headers: Record<string, string> = {}) => {
      warned.length = 0;
      for (let i = 0; i < 2; i++) await client.put('/attributes').set(headers).send({ a: 1 });
    };

    it('that no browser keeps is warned of once, with what to set', async () => {
      await setTwice(await start({ logger, cookie: { sameSite: 'none' } }));
      expect(warned).toEqual([
        'No browser keeps the session cookie: it has SameSite=None without Secure, because the request did not come over https as far as the platform knows. Have the platform trust the proxy that ends TLS (app.set("trust proxy", …) on Express, trustProxy of the FastifyAdapter), or set cookie.secure to true.',
      ]);
    });

    it.each(['https', 'HTTPS', 'https, http'])(
      'is warned of once when a proxy that nobody trusts says %s',
      async (protocol) => {
        await setTwice(await start({ logger }), { 'X-Forwarded-Proto': protocol });
        expect(warned).toEqual([
          'The session cookie is sent without Secure, although X-Forwarded-Proto says https: it came from a proxy that the platform does not trust. Have the platform trust the proxy that ends TLS (app.set("trust proxy", …) on Express, trustProxy of the FastifyAdapter), or set cookie.secure to true.',
        ]);
      },
    );

    it('is not warned of without a proxy, behind a trusted one, and where it is Secure', async () => {
      const https = { 'X-Forwarded-Proto': 'https' };
      await setTwice(await start({ logger }));
      expect(warned).toEqual([]);
      await setTwice(
        await start({ logger, cookie: { sameSite: 'none' } }, { trustsProxy: true }),
        https,
      );
      expect(warned).toEqual([]);
      await setTwice(await start({ logger, cookie: { sameSite: 'none', secure: true } }), https);
      expect(warned).toEqual([]);
    });
  });

  describe('cookie.secrets', () => {
    it('accepts a signature of an old secret, and signs again with the new one', async () => {
      const before = await start({ cookie: { secrets: [OLD_SECRET] } });
      const after = await start({ cookie: { secrets: [NEW_SECRET, OLD_SECRET] } });
      const later = await start({ cookie: { secrets: [NEW_SECRET] } });
      const oldCookie = await startSession(before);
      const response = await after.client.get('/session').set('Cookie', oldCookie);
      expect(sessionViewOf(response).attributes).toEqual({ a: 1 });
      const newCookie = sessionCookieOf(response);
      expect(newCookie).not.toBe(oldCookie);
      const isNew = async (cookie: string): Promise<boolean> =>
        sessionViewOf(await later.client.get('/session').set('Cookie', cookie)).isNew;
      expect(await isNew(newCookie)).toBe(false);
      expect(await isNew(oldCookie)).toBe(true);
    });

    it('sends nothing again when the signature is of the first secret', async () => {
      const app = await start({ cookie: { secrets: [NEW_SECRET, OLD_SECRET] } });
      const valid = await startSession(app);
      const response = await app.client.get('/session').set('Cookie', valid);
      expect(sessionViewOf(response).isNew).toBe(false);
      expect(sessionCookieLinesOf(response)).toEqual([]);
    });
  });

  describe('cookie', () => {
    it('defaults to a session cookie that scripts and other sites do not get', async () => {
      const { client } = await start();
      const [line = ''] = sessionCookieLinesOf(await client.put('/attributes').send({ a: 1 }));
      expect(line.replace(/^SESSION=[\w-]{43}/, 'SESSION=id')).toBe(
        'SESSION=id; Path=/; HttpOnly; SameSite=Lax',
      );
    });

    it('carries what the application sets beside it', async () => {
      const cookie = { name: 'sid', path: '/shop', sameSite: 'strict', httpOnly: false } as const;
      const { client } = await start({ cookie });
      const response = await client.put('/attributes').send({ a: 1 });
      expect(response.headers['set-cookie']).toEqual([
        `sid=${sessionViewOf(response).id}; Path=/shop; SameSite=Strict`,
      ]);
    });
  });
});
