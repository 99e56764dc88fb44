import { afterEach, describe, expect, it } from '@jest/globals';
import { type SecurityOptions } from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { KIM, LOGIN_PARTS, PASSWORD } from '../../support/apps/login-parts.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { setCookieLinesOf, Visitor } from '../../support/http/visitor.js';

const WRONG = { username: 'kim', password: 'wrong' };
/** Kim as a handler gets him: without credentials. */
const KIM_KEPT = {
  id: 'id-of-kim',
  username: 'kim',
  authorities: ['USER'],
  account: { city: 'Seoul' },
};

const redis = useTestRedis();

describe.each(PLATFORMS)('LoginGuard on %s', (platform) => {
  const log = new LoggedLines();
  let app: StartedApp;

  const start = async (security: SecurityOptions = {}, load: 'eager' | 'lazy' = 'eager') => {
    app = await startApp(platform, {
      ...LOGIN_PARTS,
      options: {
        redis: process.env['TEST_REDIS_URL'],
        namespace: redis.namespace,
        logger: log,
        load,
        security: { loginPage: '/login', auditLog: true, ...security },
      },
      prepare: (nest) => nest.useLogger(log),
    });
    return new Visitor(app.url);
  };

  afterEach(async () => {
    await app.close();
    const keys = await redis.allKeys();
    if (keys.length > 0) await redis.client.del(...keys);
  });

  describe('a right password', () => {
    it('leads a form to the default page by 303, logged in', async () => {
      const visitor = await start({ defaultSuccessPath: '/members' });
      const login = await visitor.submit('/login', KIM);
      expect([login.status, login.headers['location']]).toEqual([303, '/members']);
      expect(login.headers['cache-control']).toBe('no-store');
      expect((await visitor.get('/members')).body).toEqual({ page: 'members', user: KIM_KEPT });
    });

    it('answers JSON with what the handler returns', async () => {
      const visitor = await start();
      const login = await visitor.post('/login', KIM);
      expect([login.status, login.body]).toEqual([200, { user: KIM_KEPT }]);
      expect(login.headers['cache-control']).toBe('no-store');
    });

    it('is never stored, logged or sent, nor is its hash', async () => {
      const visitor = await start();
      const answers = [
        await visitor.submit('/login', { ...KIM, username: 'lee' }),
        await visitor.submit('/login', { username: PASSWORD, password: 'wrong' }),
        await visitor.post('/login', KIM),
        await visitor.get('/members'),
      ];
      const stored = await Promise.all((await redis.allKeys()).map((key) => redis.contentOf(key)));
      expect(stored).toHaveLength(1);
      expect(JSON.stringify(stored)).toContain('id-of-kim');
      expect(log.text).toContain('authentication-success');
      const everything = [stored, answers.map(({ text, headers }) => [text, headers]), log.lines];
      expect(JSON.stringify(everything)).not.toMatch(/correct|horse|battery|staple|hash of/i);
    });
  });

  describe.each([
    ['a wrong password', WRONG],
    ['no password', { username: 'kim' }],
    ['no name', { password: PASSWORD }],
    ['no fields', {}],
  ])('%s', (_what, fields: Record<string, string>) => {
    it('sends a form back to the login page, and stores nothing', async () => {
      const visitor = await start();
      const login = await visitor.submit('/login', fields);
      expect([login.status, login.headers['location']]).toEqual([
        303,
        '/login?reason=bad-credentials',
      ]);
      expect(setCookieLinesOf(login)).toEqual([]);
      expect(await redis.allKeys()).toEqual([]);
    });

    it('answers JSON with 401, the same for every cause', async () => {
      const visitor = await start();
      const login = await visitor.post('/login', fields);
      expect([login.status, JSON.parse(login.text)]).toEqual([
        401,
        {
          type: 'about:blank',
          title: 'Unauthorized',
          status: 401,
          detail: 'The login failed. Try again.',
          reason: 'bad-credentials',
        },
      ]);
    });
  });

  it('keeps who is logged in when another login of his fails', async () => {
    const visitor = await start();
    await visitor.post('/login', KIM);
    const id = await visitor.cookie();
    expect((await visitor.post('/login', WRONG)).status).toBe(401);
    expect(await visitor.cookie()).toBe(id);
    expect((await visitor.get('/members')).status).toBe(200);
  });

  it('is open whatever the rest of the application asks for', async () => {
    const visitor = await start({ authorization: 'all' });
    expect((await visitor.get('/')).status).toBe(401);
    expect((await visitor.post('/login', KIM)).status).toBe(200);
    expect((await visitor.get('/')).status).toBe(200);
  });

  describe('authenticationSuccessHandler', () => {
    it('decides where a login leads', async () => {
      const visitor = await start({
        authenticationSuccessHandler: {
          onAuthenticationSuccess: ({ authentication }) =>
            Promise.resolve(`/welcome/${authentication.name}`),
        },
      });
      const login = await visitor.post('/login', KIM);
      expect([login.status, login.headers['location']]).toEqual([303, '/welcome/kim']);
    });

    it('may leave the answer to the handler of the login', async () => {
      const visitor = await start({
        authenticationSuccessHandler: { onAuthenticationSuccess: () => undefined },
      });
      const login = await visitor.submit('/login', KIM);
      expect([login.status, login.body]).toEqual([200, { user: KIM_KEPT }]);
    });
  });

  it('leaves the answer to a failed login to the authenticationFailureHandler', async () => {
    const visitor = await start({
      authenticationFailureHandler: {
        onAuthenticationFailure: (exchange) => exchange.answer({ statusCode: 422, body: 'no' }),
      },
    });
    const login = await visitor.submit('/login', WRONG);
    expect([login.status, login.text]).toEqual([422, 'no']);
  });

  describe('toAuthentication and loadPrincipal', () => {
    const users = new Map([['id-of-kim', { id: 'id-of-kim', username: 'kim', level: 1 }]]);
    const options: SecurityOptions = {
      toAuthentication: (user) => {
        const { id, username } = user as { id: string; username: string };
        return { name: username, principal: id, authorities: ['USER'] };
      },
      loadPrincipal: (id) => Promise.resolve(users.get(id as string)),
    };

    it('keep the id alone, and look up the rest at each request', async () => {
      const visitor = await start(options);
      const login = await visitor.post('/login', KIM);
      expect(login.body).toEqual({ user: users.get('id-of-kim') });
      users.set('id-of-kim', { id: 'id-of-kim', username: 'kim', level: 2 });
      expect((await visitor.get('/members')).body).toMatchObject({ user: { level: 2 } });
      const stored = await redis.contentOf(redis.keys.session((await visitor.cookie()) ?? ''));
      const context = JSON.parse(stored.fields['sessionAttr:SECURITY_CONTEXT'] ?? '') as object;
      expect(context).toMatchObject({ authentication: { principal: 'id-of-kim' } });
    });

    it('make a user who is gone an anonymous visitor', async () => {
      const visitor = await start(options);
      await visitor.post('/login', KIM);
      const kim = users.get('id-of-kim');
      users.clear();
      expect((await visitor.get('/members')).status).toBe(401);
      expect((await visitor.get('/')).body).toEqual({ page: 'home' });
      users.set('id-of-kim', kim ?? { id: '', username: '', level: 0 });
      expect((await visitor.get('/members')).status).toBe(200);
    });
  });

  it.each<[string, (user: object) => unknown]>([
    ['a promise', () => Promise.resolve({ name: 'kim', principal: 1, authorities: [] })],
    ['no name', (principal) => ({ principal, authorities: [] })],
    ['no authorities', (principal) => ({ name: 'kim', principal })],
    ['a text of authorities', (principal) => ({ name: 'kim', principal, authorities: 'USER' })],
    ['nothing', () => undefined],
  ])(
    'is answered with 500 and sets no cookie when toAuthentication returns %s',
    async (_, make) => {
      const toAuthentication = make as NonNullable<SecurityOptions['toAuthentication']>;
      const visitor = await start({ toAuthentication });
      expect((await visitor.post('/login', KIM)).status).toBe(500);
      expect(await visitor.cookie()).toBeUndefined();
      expect(log.text).toContain('security.toAuthentication must return');
    },
  );

  it('keeps the earlier login when toAuthentication returns no name', async () => {
    let name: string | undefined = 'kim';
    const toAuthentication = ((principal: object) => ({
      ...{ name, principal, authorities: [] },
    })) as NonNullable<SecurityOptions['toAuthentication']>;
    const visitor = await start({ toAuthentication });
    await visitor.post('/login', KIM);
    name = undefined;
    expect((await visitor.post('/login', KIM)).status).toBe(500);
    expect((await visitor.get('/members')).status).toBe(200);
  });

  describe('cacheControl', () => {
    it.each(['eager', 'lazy'] as const)(
      'defaults to no-store for what logged-in users see, and nothing for others, %s',
      async (load) => {
        const visitor = await start({}, load);
        expect((await visitor.get('/')).headers).not.toHaveProperty('cache-control');
        await visitor.post('/login', KIM);
        for (const path of ['/', '/own-cart', '/members']) {
          expect((await visitor.get(path)).headers['cache-control']).toBe('no-store');
        }
        expect((await visitor.get('/public-for-an-hour')).headers['cache-control']).toBe(
          'public, max-age=3600',
        );
      },
    );

    it("leaves a page alone that asks nothing of the session, with load: 'lazy'", async () => {
      const visitor = await start({}, 'lazy');
      await visitor.post('/login', KIM);
      expect((await visitor.get('/about')).headers).not.toHaveProperty('cache-control');
    });

    it('may be another value, or none', async () => {
      const visitor = await start({ cacheControl: 'private, no-cache' });
      await visitor.post('/login', KIM);
      expect((await visitor.get('/')).headers['cache-control']).toBe('private, no-cache');
      await app.close();
      const other = await start({ cacheControl: false });
      await other.post('/login', KIM);
      expect((await other.get('/')).headers).not.toHaveProperty('cache-control');
    });
  });
});
