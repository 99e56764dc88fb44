import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, HttpCode, Injectable, Post, Req, UseGuards } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import {
  Authenticated,
  CurrentSession,
  LoginGuard,
  LoginService,
  RequireAuthorities,
  type SecurityOptions,
  type Session,
} from 'nestjs-redis-session';
import { Strategy } from 'passport-local';
import { placeOf, PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { Visitor } from '../../support/http/visitor.js';

interface User {
  id: string;
  username: string;
  roles: string[];
  passwordChangedAt: number;
}

const users = new Map<string, User>();

const userOf = (id: string) => users.get(id);

@Injectable()
class UsersStrategy extends PassportStrategy(Strategy) {
  validate(username: string): User | null {
    return userOf(username) ?? null;
  }
}

@Controller()
class AccountController {
  constructor(private readonly logins: LoginService) {}

  @Post('login')
  @HttpCode(200)
  @UseGuards(LoginGuard('local'))
  login(): object {
    return {};
  }

  @Post('token-login/lee')
  @HttpCode(200)
  async tokenLogin(@Req() request: object): Promise<void> {
    await this.logins.login(request, userOf('lee')!);
  }

  @Post('basket')
  fill(@CurrentSession() session: Session): void {
    session.setAttribute<string>('basket', 'of who came first');
  }

  @Get('basket')
  basket(@CurrentSession() session: Session): object {
    return { basket: session.getAttribute<string>('basket') ?? 'empty' };
  }

  @Get('members')
  @Authenticated()
  members(): object {
    return {};
  }

  @Get('admin')
  @RequireAuthorities('ADMIN')
  admin(): object {
    return {};
  }
}

const redis = useTestRedis();

describe.each(PLATFORMS)('a session whose user changes on %s', (platform) => {
  let app: StartedApp;

  beforeEach(() => {
    for (const username of ['kim', 'lee'])
      users.set(username, { id: username, username, roles: ['ADMIN'], passwordChangedAt: 1 });
  });
  afterEach(async () => {
    await app.close();
    const keys = await redis.allKeys();
    if (keys.length > 0) await redis.client.del(...keys);
  });

  const start = async (
    security: SecurityOptions = {},
    repository: 'default' | 'indexed' = 'default',
  ) => {
    app = await startApp(platform, {
      controllers: [AccountController],
      providers: [UsersStrategy],
      options: { ...placeOf(redis), repository, security },
    });
    return new Visitor(app.url);
  };
  const login = (visitor: Visitor, username: string) =>
    visitor.post('/login', { username, password: 'any' });
  const basketOf = async (visitor: Visitor) =>
    ((await visitor.get('/basket')).body as { basket: string }).basket;

  describe('by a login over another user', () => {
    it.each([
      ['change-session-id', 'default'],
      ['change-session-id', 'indexed'],
      ['migrate-session', 'default'],
      ['new-session', 'default'],
      ['none', 'default'],
    ] as const)(
      'shows nothing of the first to the second (%s, %s repository)',
      async (sessionFixation, repository) => {
        const visitor = await start({ sessionFixation }, repository);
        await login(visitor, 'kim');
        await visitor.post('/basket');
        const thief = await visitor.twin();
        expect((await login(visitor, 'lee')).status).toBe(200);
        expect(await basketOf(visitor)).toBe('empty');
        expect((await visitor.get('/members')).status).toBe(200);
        expect((await thief.get('/members')).status).toBe(401);
      },
    );

    it('shows nothing of the first when another proof than a password is given', async () => {
      const visitor = await start();
      await login(visitor, 'kim');
      await visitor.post('/basket');
      await visitor.post('/token-login/lee');
      expect(await basketOf(visitor)).toBe('empty');
    });

    it('keeps what a visitor has put in, and what the same user has', async () => {
      const visitor = await start();
      await visitor.post('/basket');
      await login(visitor, 'kim');
      expect(await basketOf(visitor)).toBe('of who came first');
      await login(visitor, 'kim');
      expect(await basketOf(visitor)).toBe('of who came first');
    });
  });

  describe('with loadPrincipal', () => {
    it('loses an authority that is revoked at the next request', async () => {
      const visitor = await start({ loadPrincipal: (id) => userOf((id as User).id) });
      await login(visitor, 'kim');
      expect((await visitor.get('/admin')).status).toBe(200);
      userOf('kim')!.roles = ['USER'];
      expect((await visitor.get('/admin')).status).toBe(403);
      userOf('kim')!.roles = ['ADMIN'];
      expect((await visitor.get('/admin')).status).toBe(200);
    });

    it('has the authorities that toAuthentication makes of the roles', async () => {
      const visitor = await start({
        loadPrincipal: (id) => userOf(id as string),
        toAuthentication: (user) => {
          const { id, username, roles } = user as User;
          const authorities = roles.map((role) => (role === 'boss' ? 'ADMIN' : role));
          return { name: username, principal: id, authorities };
        },
      });
      userOf('kim')!.roles = ['boss'];
      await login(visitor, 'kim');
      expect((await visitor.get('/admin')).status).toBe(200);
      userOf('kim')!.roles = [];
      expect((await visitor.get('/admin')).status).toBe(403);
    });

    it('loses an authority that toAuthentication makes of another field', async () => {
      const visitor = await start({
        loadPrincipal: (id) => ({ username: id, role: userOf(id as string)!.roles[0] }),
        toAuthentication: (user) => {
          const { username, role = 'ADMIN' } = user as { username: string; role?: string };
          return { name: username, principal: username, authorities: [role] };
        },
      });
      await login(visitor, 'kim');
      expect((await visitor.get('/admin')).status).toBe(200);
      userOf('kim')!.roles = ['USER'];
      expect((await visitor.get('/admin')).status).toBe(403);
    });

    it('gets no page when toAuthentication makes no authorities of the loaded user', async () => {
      const visitor = await start({
        loadPrincipal: (id) => ({ username: id }),
        toAuthentication: (user) => {
          const { username, roles } = user as User;
          return { name: username, principal: username, authorities: roles };
        },
      });
      await login(visitor, 'kim');
      expect((await visitor.get('/admin')).status).toBe(500);
    });

    it('keeps the authorities of the login when the principal tells none', async () => {
      const visitor = await start({ loadPrincipal: () => ({ username: 'kim' }) });
      await login(visitor, 'kim');
      expect((await visitor.get('/admin')).status).toBe(200);
    });
  });

  describe('with credentialStamp', () => {
    const stamped: SecurityOptions = {
      credentialStamp: (user) => String((user as User).passwordChangedAt),
      loadPrincipal: (id) => userOf((id as User).id),
    };

    it('ends everywhere when the password changes, and begins anew with a login', async () => {
      const visitor = await start(stamped);
      await login(visitor, 'kim');
      const elsewhere = new Visitor(app.url);
      await login(elsewhere, 'kim');
      expect((await visitor.get('/members')).status).toBe(200);
      userOf('kim')!.passwordChangedAt = 2;
      for (const browser of [visitor, elsewhere]) {
        expect((await browser.get('/members')).status).toBe(401);
        expect(await browser.cookie()).toBeUndefined();
      }
      expect(await redis.allKeys()).toEqual([]);
      await login(visitor, 'kim');
      expect((await visitor.get('/members')).status).toBe(200);
    });

    it('tells nobody who reads Redis what the stamp is', async () => {
      const visitor = await start({ ...stamped, credentialStamp: () => 'hash-of-the-password' });
      await login(visitor, 'kim');
      const { fields } = await redis.contentOf(redis.keys.session((await visitor.cookie()) ?? ''));
      expect(JSON.stringify(fields)).not.toContain('hash-of-the-password');
      expect(fields['sessionAttr:SECURITY_CONTEXT']).toContain('"credentialStamp"');
    });

    it('stamps the sessions that were there before the option, and ends them from then on', async () => {
      const { loadPrincipal } = stamped;
      const visitor = await start({ loadPrincipal });
      await login(visitor, 'kim');
      await app.close();
      visitor.url = (await start(stamped)).url;
      expect((await visitor.get('/members')).status).toBe(200);
      userOf('kim')!.passwordChangedAt = 2;
      expect((await visitor.get('/members')).status).toBe(401);
    });

    it('fails where it says nothing, as of a column that loadPrincipal leaves out', async () => {
      const visitor = await start({
        credentialStamp: (user) => (user as User).username,
        loadPrincipal: () => ({ id: 'kim' }),
      });
      expect((await login(visitor, 'kim')).status).toBe(500);
      expect((await visitor.get('/members')).status).toBe(500);
    });

    it('is refused at start without loadPrincipal', () => {
      const { credentialStamp } = stamped;
      return expect(start({ credentialStamp })).rejects.toThrow('needs security.loadPrincipal');
    });
  });
});
