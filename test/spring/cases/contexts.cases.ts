import { afterEach, describe, expect, it } from '@jest/globals';
import {
  javaClassOf,
  type JavaClasses,
  ofJavaClass,
  type SpringSessionOptions,
  springSession,
} from 'nestjs-redis-session/spring';
import { KIM, LoginController, TestStrategy } from '../../support/apps/login-parts.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { type StartedApp, startApp } from '../../support/apps/start-app.js';
import { type Answer, Visitor } from '../../../tools/demo/visitor.mjs';
import { sessionKeyOf, type SpringApps } from '../spring-stack.js';

const SECURITY = 'org.springframework.security';
const CONTEXT = 'sessionAttr:SPRING_SECURITY_CONTEXT';
const USER = {
  '@class': `${SECURITY}.core.userdetails.User`,
  accountNonExpired: true,
  accountNonLocked: true,
  authorities: ['java.util.Collections$UnmodifiableSet', []],
  credentialsNonExpired: true,
  enabled: true,
  password: null,
  username: 'kim',
};
/** Spring asks for the password, and lets it be null. */
const ONLY_NAME = { authorities: USER.authorities, password: null, username: 'kim' };
const ROLES = ['java.util.ArrayList', [role('ROLE_USER')]];

function role(authority: string): object {
  return { '@class': `${SECURITY}.core.authority.SimpleGrantedAuthority`, authority };
}

function token(className: string, fields: object = {}): object {
  return {
    '@class': className,
    authenticated: true,
    authorities: ROLES,
    credentials: null,
    details: null,
    principal: 'kim',
    ...fields,
  };
}

const LOGIN = `${SECURITY}.authentication.UsernamePasswordAuthenticationToken`;
const REMEMBERED = `${SECURITY}.authentication.RememberMeAuthenticationToken`;
const PRE_AUTHENTICATED = `${SECURITY}.web.authentication.preauth.PreAuthenticatedAuthenticationToken`;
const ANONYMOUS = `${SECURITY}.authentication.AnonymousAuthenticationToken`;

const OAUTH2 = `${SECURITY}.oauth2.core`;
const AUTHORITY = `${SECURITY}.core.authority.SimpleGrantedAuthority`;
/** As the classes of Spring declare their fields. */
const OAUTH2_CLASSES: JavaClasses = {
  [AUTHORITY]: { authority: 'String' },
  [`${OAUTH2}.user.DefaultOAuth2User`]: {
    authorities: `Set<${AUTHORITY}>`,
    attributes: 'Map<String, Object>',
    nameAttributeKey: 'String',
  },
  [`${OAUTH2}.oidc.user.DefaultOidcUser`]: {
    authorities: `Set<${AUTHORITY}>`,
    idToken: `${OAUTH2}.oidc.OidcIdToken`,
    userInfo: `${OAUTH2}.oidc.OidcUserInfo?`,
    nameAttributeKey: 'String',
  },
  [`${OAUTH2}.oidc.OidcIdToken`]: {
    tokenValue: 'String',
    issuedAt: 'Instant',
    expiresAt: 'Instant',
    claims: 'Map<String, Object>',
  },
  [`${OAUTH2}.oidc.OidcUserInfo`]: { claims: 'Map<String, Object>' },
};

const OAUTH2_USER = () =>
  ofJavaClass(`${OAUTH2}.user.DefaultOAuth2User`, {
    authorities: [{ authority: 'ROLE_USER' }],
    attributes: { login: 'kim', id: 6_000_000_000, site_admin: false },
    nameAttributeKey: 'login',
  });

const OIDC_USER = () =>
  ofJavaClass(`${OAUTH2}.oidc.user.DefaultOidcUser`, {
    authorities: [{ authority: 'ROLE_USER' }],
    idToken: {
      tokenValue: 'token',
      issuedAt: new Date(1_795_901_030_498),
      expiresAt: new Date(1_795_901_090_498),
      claims: { sub: 'kim', email: 'kim@example.com' },
    },
    userInfo: { claims: { sub: 'kim' } },
    nameAttributeKey: 'sub',
  });

interface Me {
  readonly name: string | null;
  readonly authorities: readonly string[];
  readonly kind: string;
  readonly authenticatedAt?: number;
}

interface Login {
  readonly kim: Visitor;
  /** Of the answer to the login. */
  readonly status: number;
  /** Asks the application of the login again. */
  getThere(path: string): Promise<Answer>;
}

export function describeContexts(apps: SpringApps): void {
  const { boot } = apps.options;
  describe('who is logged in', () => {
    async function me(visitor: Visitor, side: 'nest' | 'spring'): Promise<Me> {
      const { status, text } = await visitor.getJson(`/${side}/api/me`);
      expect({ side, status, text }).toMatchObject({ status: 200 });
      return JSON.parse(text) as Me;
    }

    const log = new LoggedLines();
    const otherNests: StartedApp[] = [];
    afterEach(async () => {
      await Promise.all(otherNests.splice(0).map((nest) => nest.close()));
    });

    /** Somebody who logs in at an application of Nest with other options, which runs until the test ends. */
    async function loginWith(options: SpringSessionOptions, isRemembered: boolean): Promise<Login> {
      log.clear();
      const nest = await startApp('express', {
        options: { redis: apps.running.storeUrl, features: [springSession(options)] },
        controllers: [LoginController],
        providers: [TestStrategy],
        pod: 'nest',
        log,
      });
      otherNests.push(nest);
      const kim = new Visitor(nest.url);
      const { status } = await kim.postJson('/login', { ...KIM, 'remember-me': isRemembered });
      kim.url = apps.running.url;
      const getThere = (path: string): Promise<Answer> => {
        const copy = kim.copyWithCookies();
        copy.url = nest.url;
        return copy.getJson(path);
      };
      return { kim, status, getThere };
    }

    async function withContext(authentication: object): Promise<Visitor> {
      const visitor = apps.visitor();
      await visitor.postJson('/spring/api/cart?item=book', {});
      const context = { '@class': `${SECURITY}.core.context.SecurityContextImpl`, authentication };
      await apps.redis.hset(await sessionKeyOf(visitor), CONTEXT, JSON.stringify(context));
      return visitor;
    }

    it.each([
      ['a name', token(LOGIN), 'full'],
      ['a User', token(LOGIN, { principal: USER }), 'full'],
      ['a remembered user', token(REMEMBERED, { keyHash: 7 }), 'remember-me'],
      ['a pre-authenticated user', token(PRE_AUTHENTICATED), 'full'],
      [
        'no authorities',
        token(LOGIN, { authorities: ['java.util.Collections$EmptyList', []] }),
        'full',
      ],
      [
        'an empty list of authorities',
        token(LOGIN, { authorities: ['java.util.ArrayList', []] }),
        'full',
      ],
      [
        'authorities in a list that cannot be changed',
        token(LOGIN, {
          authorities: ['java.util.Collections$UnmodifiableRandomAccessList', [role('ROLE_USER')]],
        }),
        'full',
      ],
      [
        'a User without its flags',
        token(LOGIN, { principal: { ...ONLY_NAME, '@class': USER['@class'] } }),
        'full',
      ],
      ['a property of its own', token(LOGIN, { node: { any: [1, { thing: true }] } }), 'full'],
    ])('both sides know a token with %s', async (_what, authentication, kind) => {
      const visitor = await withContext(authentication);
      expect(await me(visitor, 'spring')).toMatchObject({ name: 'kim', kind });
      expect(await me(visitor, 'nest')).toMatchObject({ name: 'kim', kind, authenticatedAt: 0 });
    });

    it.each([
      ['UsernamePasswordAuthenticationToken', token(LOGIN), [200, 200]],
      ['RememberMeAuthenticationToken', token(REMEMBERED, { keyHash: 7 }), [200, 200]],
      ['PreAuthenticatedAuthenticationToken', token(PRE_AUTHENTICATED), [200, 500]],
    ] as const)(
      'Nest knows a %s without credentials, and Spring where it can read one',
      async (_what, { ...fields }, [atBoot3, atBoot4]) => {
        const { credentials, ...authentication } = fields as { credentials?: unknown };
        expect(credentials).toBeNull();
        const visitor = await withContext(authentication);
        expect(await me(visitor, 'nest')).toMatchObject({ name: 'kim' });
        const { status, text } = await visitor.getJson('/spring/api/me');
        expect(status).toBe(boot === 4 ? atBoot4 : atBoot3);
        if (status === 200) expect(text).toContain('"name":"kim"');
      },
    );

    it('a login at Nest always has credentials, which are null', async () => {
      for (const given of ['username-password', 'pre-authenticated'] as const) {
        const { kim } = await loginWith({ boot, token: given }, false);
        const context = (await apps.redis.hget(await sessionKeyOf(kim), CONTEXT)) ?? '';
        expect(JSON.parse(context)).toMatchObject({ authentication: { credentials: null } });
      }
    });

    it.each([
      ['OAuth2', 'DefaultOAuth2User', OAUTH2_USER],
      ['OpenID Connect', 'DefaultOidcUser', OIDC_USER],
    ] as const)(
      'a login at Nest is a user of %s at Spring by a function, and at Nest when Spring has written it again',
      async (_what, className, user) => {
        const principal = {
          fromSpring: (stored: unknown) =>
            String(javaClassOf(stored)).endsWith(`.${className}`)
              ? { name: 'kim', principal: { username: 'kim' } }
              : undefined,
          toSpring: user,
        };
        const options = { boot, principal, classes: OAUTH2_CLASSES };
        const { kim, getThere } = await loginWith(options, false);
        for (const again of ['cart?item=book', 'attributes/again', 'session-id']) {
          expect((await kim.postJson(`/spring/api/${again}`, {})).status).toBe(200);
          expect((await kim.getJson('/spring/api/principal')).text).toBe(`${className} kim`);
          expect((await getThere('/')).text).toBe('{"page":"home","name":"kim"}');
        }
      },
    );

    it('Nest refuses a login of a user whose fields Spring could not read', async () => {
      const principal = {
        fromSpring: () => undefined,
        toSpring: () => Object.assign(OAUTH2_USER(), { nameAttributeKey: 5 }),
      };
      const options = { boot, principal, classes: OAUTH2_CLASSES };
      const { kim, status } = await loginWith(options, false);
      expect(status).toBe(500);
      expect(log.text).toMatch(/SessionEncodingError: Cannot save the session: .+nameAttributeKey/);
      expect(await me(kim, 'spring')).toMatchObject({ name: null });
    });

    it('Nest reads the time of a login from its factor, which makes Spring Boot 3.5 answer 500', async () => {
      const factor = {
        '@class': `${SECURITY}.core.authority.FactorGrantedAuthority`,
        authority: 'FACTOR_PASSWORD',
        issuedAt: 1795901030.4985,
      };
      const authorities = ['java.util.ArrayList', [role('ROLE_USER'), factor]];
      const visitor = await withContext(token(LOGIN, { authorities }));
      const atNest = { name: 'kim', authenticatedAt: Math.floor(factor.issuedAt * 1000) };
      expect(await me(visitor, 'nest')).toMatchObject(atNest);
      const { status } = await visitor.getJson('/spring/api/me');
      expect(status).toBe(boot === 4 ? 200 : 500);
    });

    it('both sides know the user of a context with a property of its own', async () => {
      const visitor = await withContext(token(LOGIN));
      const key = await sessionKeyOf(visitor);
      const context = JSON.parse((await apps.redis.hget(key, CONTEXT)) ?? '') as object;
      await apps.redis.hset(key, CONTEXT, JSON.stringify({ ...context, node: { any: 1 } }));
      for (const side of ['nest', 'spring'] as const)
        expect(await me(visitor, side)).toMatchObject({ name: 'kim' });
    });

    it('a role of Spring is an authority at Nest, and any other authority is not', async () => {
      const authorities = [
        'java.util.ArrayList',
        [role('ROLE_ADMIN'), role('ADMIN'), role('read')],
      ];
      const visitor = await withContext(token(LOGIN, { authorities }));
      expect(await me(visitor, 'nest')).toMatchObject({ authorities: ['ADMIN'] });
    });

    it.each([
      ['an anonymous token', token(ANONYMOUS, { keyHash: 7 })],
      ['a token that is not authenticated', token(LOGIN, { authenticated: false })],
      ['a token of an unknown class', token('com.shop.MagicToken')],
      ['a principal of an unknown class', token(LOGIN, { principal: { '@class': 'com.shop.Me' } })],
      [
        'a principal that is a map',
        token(LOGIN, { principal: { '@class': 'java.util.LinkedHashMap', username: 'kim' } }),
      ],
      ['a principal without a name', token(LOGIN, { principal: '' })],
      ['no principal', token(LOGIN, { principal: null })],
      ['no token', {}],
    ])('Nest knows nobody by %s, and leaves the login as it is', async (_what, authentication) => {
      const visitor = await withContext(authentication);
      const key = await sessionKeyOf(visitor);
      const before = await apps.redis.hget(key, CONTEXT);
      expect(await me(visitor, 'nest')).toMatchObject({ name: null });
      await visitor.postJson('/nest/api/attributes', { other: 1 });
      expect(await apps.redis.hget(key, CONTEXT)).toBe(before);
    });

    it.each(['no JSON', '{"@class":', '["java.util.ArrayList",[]]', '5', 'null', '"kim"'])(
      'Nest knows nobody by the text %s',
      async (text) => {
        const visitor = apps.visitor();
        await visitor.postJson('/nest/api/cart?item=book', {});
        await apps.redis.hset(await sessionKeyOf(visitor), CONTEXT, text);
        expect(await me(visitor, 'nest')).toMatchObject({ name: null });
      },
    );

    it('a login at Nest is the same user at Spring, with the roles, and from Boot 4 with the factor', async () => {
      const alice = await apps.login('nest');
      const atSpring = await me(alice, 'spring');
      expect(atSpring).toMatchObject({ name: 'alice', kind: 'full' });
      const authorities = atSpring.authorities.join();
      expect(authorities).toMatch(/ROLE_USER.*ROLE_ADMIN/);
      const factors = authorities.match(/FACTOR_\w+/g) ?? [];
      expect(factors).toEqual(boot === 4 ? ['FACTOR_PASSWORD'] : []);
    });

    it('a login at Nest keeps its time and its principal while Spring serves', async () => {
      const startMs = Date.now();
      const alice = await apps.login('nest');
      await alice.postJson('/spring/api/cart?item=book', {});
      await alice.postJson('/spring/api/session-id', {});
      const { authenticatedAt = 0, ...rest } = await me(alice, 'nest');
      expect(authenticatedAt).toBeGreaterThanOrEqual(startMs);
      expect(authenticatedAt).toBeLessThanOrEqual(Date.now());
      expect(rest).toMatchObject({
        principal: { username: 'alice', authorities: ['USER', 'ADMIN'] },
      });
    });

    it('the time of a login at Spring is known by its factor, or counts as long ago', async () => {
      const startMs = Date.now() - 1;
      const alice = await apps.login('spring');
      const { authenticatedAt = -1 } = await me(alice, 'nest');
      if (boot === 4) expect(authenticatedAt).toBeGreaterThanOrEqual(startMs);
      else expect(authenticatedAt).toBe(0);
    });

    it.each([
      ['username-password', false, 'UsernamePasswordAuthenticationToken', 'full'],
      ['pre-authenticated', false, 'PreAuthenticatedAuthenticationToken', 'full'],
      ['pre-authenticated', true, 'RememberMeAuthenticationToken', 'remember-me'],
    ] as const)(
      'a login at Nest with the token %s, remembered: %p, is a %s at Spring and stays one',
      async (given, isRemembered, className, kind) => {
        const { kim } = await loginWith({ boot, token: given }, isRemembered);
        for (const again of ['cart?item=book', 'attributes/again', 'session-id']) {
          expect((await kim.postJson(`/spring/api/${again}`, {})).status).toBe(200);
          expect(await me(kim, 'spring')).toMatchObject({ name: 'kim', kind, token: className });
          expect(await me(kim, 'nest')).toMatchObject({ name: 'kim' });
        }
        expect((await kim.open('/spring/vault')).text).toBe(kind === 'full' ? 'hello kim' : '');
      },
    );

    it('a principal that is a map is nobody at Nest, and stays at Spring whoever writes', async () => {
      const principal = { '@class': 'java.util.LinkedHashMap', username: 'kim' };
      const visitor = await withContext(token(LOGIN, { principal }));
      for (const path of ['spring/api/attributes/again', 'nest/api/cart?item=lamp']) {
        expect((await visitor.postJson(`/${path}`, {})).status).toBe(200);
        expect(await me(visitor, 'nest')).toMatchObject({ name: null });
        expect(await me(visitor, 'spring')).toMatchObject({ name: '{username=kim}' });
      }
      const told = apps.running.nest
        .output()
        .match(/Cannot understand .+ a principal of "object"/g);
      expect(told).toHaveLength(1);
    });

    it('a login at Nest whose principal is a map is one at Spring, also when Spring writes it again', async () => {
      const principal = { fromSpring: () => undefined, toSpring: () => ({ username: 'kim' }) };
      const { kim } = await loginWith({ boot, principal }, false);
      for (const again of ['cart?item=book', 'attributes/again', 'session-id']) {
        expect((await kim.postJson(`/spring/api/${again}`, {})).status).toBe(200);
        expect(await me(kim, 'spring')).toMatchObject({ name: '{username=kim}', kind: 'full' });
        expect(await me(kim, 'nest')).toMatchObject({ name: null });
      }
    });

    it('a login at Nest takes the place of one at Spring, and changes the id', async () => {
      const visitor = await apps.login('spring', 'bob');
      const before = await visitor.cookie();
      const copy = visitor.copyWithCookies();
      const csrf = (await visitor.getJson('/nest/api/csrf')).text;
      await visitor.submit('/nest/login', { username: 'alice', password: 'alice', _csrf: csrf });
      expect(await visitor.cookie()).not.toBe(before);
      expect(await me(visitor, 'spring')).toMatchObject({ name: 'alice' });
      expect(await me(copy, 'spring')).toMatchObject({ name: null });
    });
  });
}
