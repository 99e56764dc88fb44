import { describe, expect, it } from '@jest/globals';
import { type Authentication } from '../security/authentication.js';
import { javaClassOf, ofJavaClass } from './java-value.js';
import { SpringContext, type SpringContextOptions } from './spring-context.js';
import { springRoles } from './spring.options.js';

const KIM: Authentication = {
  name: 'kim',
  principal: { username: 'kim', email: 'kim@example.com', since: new Date(1404360000000) },
  authorities: ['USER', 'ADMIN'],
  kind: 'full',
  authenticatedAt: 1_795_901_030_498,
};

function contextOf(options: Partial<SpringContextOptions> = {}) {
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  const defaults = { authorities: undefined, boot: 4, factor: undefined, principal: undefined };
  const users = { ...defaults, ...options } as SpringContextOptions;
  return { context: new SpringContext(users, { warn, error: warn }), warnings };
}

/** As it is after Spring has written it again: without what Spring has no place for. */
function writtenBySpring(text: string): string {
  const stored = JSON.parse(text) as { authentication: { node?: unknown } };
  delete stored.authentication.node;
  return JSON.stringify(stored);
}

describe('SpringContext', () => {
  it.each([
    ['full', false],
    ['full', true],
    ['remember-me', true],
  ] as const)('gives back a login of the kind %s, remembered: %p', (kind, isRemembered) => {
    const { context } = contextOf();
    const login = { authentication: { ...KIM, kind }, isRemembered };
    const text = context.encode(login, 'login');
    expect(context.decode(text)).toEqual(login);
    expect(context.encode(context.decode(text) ?? login, 'login')).toBe(text);
  });

  it('a remembered login is no full one once Spring has written it again', () => {
    const { context } = contextOf({ factor: 'FACTOR_PASSWORD' });
    const login = { authentication: KIM, isRemembered: true };
    const text = context.encode(login, 'login');
    expect(text).not.toContain('FactorGrantedAuthority');
    expect(context.decode(writtenBySpring(text))?.authentication).toMatchObject({
      kind: 'remember-me',
      authenticatedAt: 0,
    });
  });

  it('keeps the time of a login with a factor when Spring writes it again, and the user', () => {
    const { context } = contextOf({ factor: 'FACTOR_PASSWORD', authorities: springRoles });
    const text = writtenBySpring(context.encode({ authentication: KIM }, 'login'));
    expect(context.decode(text)?.authentication).toEqual({
      ...KIM,
      principal: { username: 'kim' },
    });
  });

  it('a login without a factor counts as long ago once Spring has written it again', () => {
    const { context } = contextOf();
    const text = writtenBySpring(context.encode({ authentication: KIM }, 'login'));
    expect(context.decode(text)?.authentication?.authenticatedAt).toBe(0);
  });

  it('a remembered login proves no factor', () => {
    const { context } = contextOf({ factor: 'FACTOR_PASSWORD' });
    const authentication = { ...KIM, kind: 'remember-me' } as const;
    expect(context.encode({ authentication }, 'login')).not.toContain('FactorGrantedAuthority');
  });

  it('does not believe what a login of another user has left', () => {
    const { context } = contextOf();
    const text = context.encode({ authentication: KIM }, 'login');
    const stored = JSON.parse(text) as { authentication: { principal: { username: string } } };
    stored.authentication.principal.username = 'eve';
    const authentication = context.decode(JSON.stringify(stored))?.authentication;
    expect(authentication).toMatchObject({ name: 'eve', principal: { username: 'eve' } });
  });

  it('translates principals of own classes, both ways', () => {
    const { context, warnings } = contextOf({
      classes: { 'com.shop.Account': { email: 'String' } },
      principal: {
        fromSpring: (stored) => {
          if (javaClassOf(stored) !== 'com.shop.Account') return undefined;
          const { email } = stored as { email: string };
          return { name: email, principal: { email } };
        },
        toSpring: ({ name }) => ofJavaClass('com.shop.Account', { email: name }),
      },
    });
    const text = context.encode({ authentication: { ...KIM, name: 'kim@example.com' } }, 'login');
    expect(text).toContain('"principal":{"@class":"com.shop.Account","email":"kim@example.com"}');
    const { authentication } = context.decode(writtenBySpring(text)) ?? {};
    expect(authentication).toMatchObject({
      name: 'kim@example.com',
      principal: { email: 'kim@example.com' },
    });
    expect(warnings).toEqual([]);
  });

  it('warns once of each class that it cannot understand, without the user', () => {
    const { context, warnings } = contextOf();
    const text = context
      .encode({ authentication: KIM }, 'login')
      .replace('core.userdetails.User"', 'MyUser"');
    for (let time = 0; time < 3; time++) expect(context.decode(text)).toBeUndefined();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('org.springframework.security.MyUser');
    expect(warnings[0]).not.toContain('kim');
  });

  it.each([
    ['hides "authenticated"', { '@class': 'com.shop.ShopToken', principal: 'kim' }],
    ['has a text as "authenticated"', { '@class': 'com.shop.ShopToken', authenticated: 'true' }],
  ])('warns once of a token that %s, and names its class and the cure', (_what, authentication) => {
    const { context, warnings } = contextOf();
    const text = JSON.stringify({ '@class': 'com.shop.ShopContext', authentication });
    for (let time = 0; time < 3; time++) expect(context.decode(text)).toBeUndefined();
    expect(warnings).toEqual([
      'Cannot understand a login of Spring: it is a token of "com.shop.ShopToken" without a true or false "authenticated". Its user is anonymous here. Let Spring write that field: change the mixin or the annotations of the class.',
    ]);
  });

  it('warns once of a context without a token, and names its class', () => {
    const { context, warnings } = contextOf();
    const text = JSON.stringify({ '@class': 'com.shop.ShopContext', user: 'kim' });
    for (let time = 0; time < 3; time++) expect(context.decode(text)).toBeUndefined();
    expect(warnings).toEqual([
      'Cannot understand a login of Spring: it is a context of "com.shop.ShopContext" without a token in "authentication". Its user is anonymous here. Let Spring write that field: change the mixin or the annotations of the class.',
    ]);
    const right = JSON.stringify({ '@class': 'com.shop.ShopContext', authentication: null });
    const other = contextOf();
    expect(other.context.decode(right)).toBeUndefined();
    expect(other.warnings).toEqual([]);
  });

  it.each([
    ['the context is null', 'null'],
    ['the token is null', '{"@class":"com.shop.ShopContext","authentication":null}'],
    [
      'the token is not authenticated',
      '{"@class":"com.shop.ShopContext","authentication":{"@class":"com.shop.ShopToken","authenticated":false}}',
    ],
  ])('a visitor who is not logged in is worth no warning: %s', (_what, text) => {
    const { context, warnings } = contextOf();
    expect(context.decode(text)).toBeUndefined();
    expect(warnings).toEqual([]);
  });
});

describe('a principal of a class of the application', () => {
  const text = JSON.stringify({
    '@class': 'com.shop.ShopContext',
    authentication: {
      '@class': 'com.shop.ShopToken',
      authenticated: true,
      principal: { '@class': 'com.shop.Account', email: 'kim@example.com' },
    },
  });

  it('is anonymous, with a line that names the option, until the option translates it', () => {
    const { context, warnings } = contextOf();
    expect(context.decode(text)).toBeUndefined();
    expect(warnings).toEqual([
      'Cannot understand a login of Spring: it is "com.shop.ShopToken" with a principal of "com.shop.Account". Its user is anonymous here. Set the option principal of springSession().',
    ]);
    const fromSpring = (account: object) => ({
      name: (account as { readonly email: string }).email,
      principal: {},
    });
    const mended = contextOf({ principal: { fromSpring, toSpring: () => undefined } });
    expect(mended.context.decode(text)?.authentication?.name).toBe('kim@example.com');
    expect(mended.warnings).toEqual([]);
  });
});

describe('springRoles', () => {
  it('makes a role of Spring an authority, and leaves out everything else', () => {
    const names = ['ROLE_ADMIN', 'ADMIN', 'read', 'SCOPE_read'].map(springRoles.fromSpring);
    expect(names).toEqual(['ADMIN', undefined, undefined, undefined]);
    expect(springRoles.toSpring('ADMIN')).toBe('ROLE_ADMIN');
  });
});
