import { afterEach, describe, expect, it } from '@jest/globals';
import {
  type RedisSessionModuleOptions,
  SecurityEvents,
  type SecurityOptions,
} from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { ADMIN, KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { setCookieLinesOf, Visitor } from '../../support/http/visitor.js';

type IndexedOptions = NonNullable<RedisSessionModuleOptions['indexed']>;

const redis = useTestRedis();

describe.each(PLATFORMS)("a login that 'reject-login' refuses, on %s", (platform) => {
  let app: StartedApp;
  let limit = 1;

  const start = async (
    security: SecurityOptions = {},
    flushMode: 'immediate' | 'on-save' = 'on-save',
    indexed: IndexedOptions = {},
  ) => {
    app = await startApp(platform, {
      ...LOGIN_PARTS,
      options: {
        flushMode,
        redis: process.env['TEST_REDIS_URL'],
        namespace: redis.namespace,
        repository: 'indexed',
        indexed: {
          maximumSessions: () => limit,
          maximumSessionsPolicy: 'reject-login',
          ...indexed,
        },
        security: { loginPage: '/login', ...security },
      },
    });
    await new Visitor(app.url).post('/login', KIM);
    return new Visitor(app.url);
  };

  const storedSessionOf = async (visitor: Visitor) => {
    const id = (await visitor.cookie()) ?? '';
    const keys = (await redis.allKeys()).filter((key) => key.includes(id.slice(8)));
    const { fields } = await redis.contentOf(keys[0] ?? '');
    const stored: Record<string, string> = { ...fields, lastAccessedTime: 'any' };
    return { keys, fields: stored };
  };

  afterEach(async () => {
    limit = 1;
    await app.close();
    const keys = await redis.allKeys();
    if (keys.length > 0) await redis.client.del(...keys);
  });

  it('sends a form back to the login page, which is told why', async () => {
    const visitor = await start();
    const login = await visitor.submit('/login', KIM);
    expect([login.status, login.headers['location']]).toEqual([
      303,
      '/login?reason=maximum-sessions',
    ]);
    expect(setCookieLinesOf(login)).toEqual([]);
    expect((await visitor.get('/members')).status).toBe(401);
  });

  it('keeps the page that was asked for until there is room', async () => {
    const visitor = await start();
    const page = await visitor.open('/members?tab=2');
    const [, query] = page.headers['location']?.split('?') ?? [];
    const login = await visitor.submit(`/login?${query}`, KIM);
    expect(login.headers['location']).toBe(`/login?reason=maximum-sessions&${query}`);
    expect((await visitor.get('/members')).status).toBe(401);
  });

  it.each(['change-session-id', 'migrate-session', 'new-session', 'none'] as const)(
    'leaves the session of the visitor as it was (%s)',
    async (sessionFixation) => {
      const visitor = await start({ sessionFixation });
      await visitor.open('/members?tab=2');
      const before = await storedSessionOf(visitor);
      const keys = await redis.allKeys();
      const login = await visitor.submit('/login', { ...KIM, 'remember-me': 'on' });
      expect(login.headers['location']).toBe('/login?reason=maximum-sessions');
      expect(setCookieLinesOf(login)).toEqual([]);
      expect(await storedSessionOf(visitor)).toEqual(before);
      expect(await redis.allKeys()).toEqual(keys);
    },
  );

  it.each(['change-session-id', 'migrate-session', 'new-session', 'none'] as const)(
    'leaves another user logged in who was so before (%s)',
    async (sessionFixation) => {
      const visitor = await start({ sessionFixation });
      await visitor.post('/login', ADMIN);
      const before = await storedSessionOf(visitor);
      expect((await visitor.post('/login', KIM)).status).toBe(401);
      expect(await storedSessionOf(visitor)).toEqual(before);
      expect((await visitor.get('/admin')).status).toBe(200);
    },
  );

  it.each(['change-session-id', 'migrate-session', 'new-session', 'none'] as const)(
    'is not that of a user who logs in again in the same session (%s)',
    async (sessionFixation) => {
      await start({ sessionFixation });
      const visitor = new Visitor(app.url);
      await visitor.post('/login', ADMIN);
      expect((await visitor.post('/login', ADMIN)).status).toBe(200);
      expect((await visitor.get('/admin')).status).toBe(200);
      expect((await new Visitor(app.url).post('/login', ADMIN)).status).toBe(401);
    },
  );

  it.each([
    ['change-session-id', 'on-save'],
    ['migrate-session', 'on-save'],
    ['new-session', 'on-save'],
    ['new-session', 'immediate'],
    ['none', 'on-save'],
  ] as const)(
    'is not that of a user who has more sessions by now than are allowed, in one of them (%s, %s)',
    async (sessionFixation, flushMode) => {
      await start({ sessionFixation }, flushMode);
      limit = 2;
      const visitor = new Visitor(app.url);
      await visitor.post('/login', ADMIN);
      await new Visitor(app.url).post('/login', ADMIN);
      limit = 1;
      const before = await visitor.twin();
      expect((await visitor.post('/login', ADMIN)).status).toBe(200);
      expect((await visitor.get('/admin')).status).toBe(200);
      expect((await before.get('/admin')).status).toBe(sessionFixation === 'none' ? 200 : 401);
      expect((await new Visitor(app.url).post('/login', ADMIN)).status).toBe(401);
    },
  );

  it.each([
    { sessionFixation: 'change-session-id', cart: ['tea'], interval: '600' },
    { sessionFixation: 'migrate-session', cart: ['tea'], interval: '600' },
    { sessionFixation: 'new-session', cart: [], interval: '1800' },
  ] as const)(
    'leaves what $sessionFixation says to a user who logs in again',
    async ({ sessionFixation, cart, interval }) => {
      const visitor = await start({ sessionFixation });
      await visitor.post('/login', ADMIN);
      const [key = ''] = (await storedSessionOf(visitor)).keys;
      await redis.client.hset(key, { 'sessionAttr:cart': '["tea"]', maxInactiveInterval: '600' });
      await visitor.post('/login', ADMIN);
      expect((await visitor.get('/own-cart')).body).toEqual({ cart });
      expect((await storedSessionOf(visitor)).fields['maxInactiveInterval']).toBe(interval);
    },
  );

  it('answers programs with 401 and the reason, and tells the security events', async () => {
    const visitor = await start();
    const events: unknown[] = [];
    app.app.get(SecurityEvents).events$.subscribe((event) => events.push(event));
    const login = await visitor.post('/login', KIM);
    expect([login.status, login.headers['content-type']]).toEqual([
      401,
      expect.stringMatching(/^application\/problem\+json/),
    ]);
    expect(JSON.parse(login.text)).toMatchObject({ status: 401, reason: 'maximum-sessions' });
    expect(events).toMatchObject([
      { type: 'authentication-failure', reason: 'maximum-sessions', strategy: 'local' },
    ]);
  });

  it('tells the security events of no new id when there is none', async () => {
    const visitor = await start();
    await visitor.open('/members');
    const types: string[] = [];
    app.app.get(SecurityEvents).events$.subscribe(({ type }) => types.push(type));
    await visitor.post('/login', KIM);
    expect(types).toEqual(['authentication-failure']);
  });

  it('counts all logins with the same `principalName` together, and refuses one over another', async () => {
    const household = { principalName: () => 'the household' };
    const visitor = await start({}, 'on-save', household);
    expect((await visitor.post('/login', ADMIN)).status).toBe(401);
    limit = 2;
    expect((await visitor.post('/login', ADMIN)).status).toBe(200);
    expect((await visitor.post('/login', KIM)).status).toBe(401);
    expect((await visitor.get('/admin')).status).toBe(200);
    expect((await visitor.post('/login', ADMIN)).status).toBe(200);
  });
});
