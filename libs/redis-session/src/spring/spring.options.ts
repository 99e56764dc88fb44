import { z } from 'zod';
import { type OptionsOf, type ResolvedOptionsOf, objectOption } from '../lib/option-group.js';
import { type Authentication } from '../security/authentication.js';
import { type JavaClasses } from './json/java-types.js';

/** Translates the names of authorities. */
export interface SpringAuthorities {
  /** @returns the name that guards of this application know; undefined leaves the authority out */
  fromSpring(authority: string): string | undefined;
  /** @returns the name that Spring knows; undefined leaves the authority out */
  toSpring(authority: string): string | undefined;
}

/** Translates principals that are neither a name nor Spring Security's own `User`. */
export interface SpringPrincipals {
  /**
   * Reads a principal that Spring has stored.
   *
   * @param principal - its fields as data; `javaClassOf(principal)` tells the class
   * @param token - the fields of the login around it, such as `authorizedClientRegistrationId` of an OAuth2 login
   * @returns the unique name, as `Principal.getName()` of Spring gives it, and what `@CurrentUser()` gives; undefined = the
   * visitor is anonymous
   */
  fromSpring(
    principal: unknown,
    token: Readonly<Record<string, unknown>>,
  ):
    | {
        /** The unique name of the user. */
        readonly name: string;
        /** What `@CurrentUser()` gives. */
        readonly principal: unknown;
      }
    | undefined;
  /** @returns an `ofJavaClass(…)` object, equal for equal users; undefined = Spring Security's own `User` with that name */
  toSpring(authentication: Authentication): object | undefined;
}

/** What `springSession` takes. */
export const springOptionGroup = z.strictObject({
  /** Translates the names of authorities. `springRoles` makes `ADMIN` of `ROLE_ADMIN`. Default: the names are equal. */
  authorities: objectOption<SpringAuthorities>('an object with fromSpring and toSpring').optional(),
  /** The generation of Spring Boot that shares the sessions. With several, the oldest one. */
  boot: z.union([z.literal(3), z.literal(4)]).default(4),
  /**
   * The Java classes of which objects are stored or changed here, each with the types of its fields, such as
   * `{ 'com.shop.Cart': { owner: 'String', items: 'List<String>', total: 'BigDecimal?' } }`. Spring's JSON mapper must allow them. What
   * does not fit is refused, because Spring answers 500 to it. See docs/spring.md. Needs `serialization: 'json'`.
   */
  classes: objectOption<JavaClasses>(
    'an object that describes Java classes, such as { "com.shop.Cart": { owner: "String" } }',
  ).optional(),
  /**
   * What a login here proves to Spring Security 7, which can ask for factors. Needs `boot: 4`. Left out, a login here counts
   * as none, and `authenticatedAt` is lost when Spring writes the login again.
   */
  factor: z
    .enum([
      'FACTOR_PASSWORD',
      'FACTOR_OTT',
      'FACTOR_X509',
      'FACTOR_WEBAUTHN',
      'FACTOR_AUTHORIZATION_CODE',
      'FACTOR_SAML_RESPONSE',
      'FACTOR_CAS',
      'FACTOR_BEARER',
    ])
    .describe('a factor of Spring Security 7, such as "FACTOR_PASSWORD"')
    .optional(),
  /** Translates principals of your own classes. Default: only names and Spring Security's `User` are understood. */
  principal: objectOption<SpringPrincipals>('an object with fromSpring and toSpring').optional(),
  /**
   * How Spring writes sessions. `'json'` shares them; Spring needs a bean for it, see docs/spring.md. `'jdk'` is Java serialization,
   * Spring's default: logins are honoured, attributes read and sessions ended, and nothing else is written without `storesLogins`.
   */
  serialization: z.enum(['json', 'jdk']).default('json'),
  /**
   * Stores logins, and attributes that are texts, numbers or booleans, by Java serialization. Name the repository of Spring, as
   * `spring.session.data.redis.repository-type` says. Needs `serialization: 'jdk'` and Spring Security 6.3 or later.
   */
  storesLogins: z.enum(['default', 'indexed']).optional(),
  /**
   * The class of a login here for Spring Security: `'pre-authenticated'` if somebody else has checked the user, such as a proxy or
   * a certificate. A login that is remembered is always a `RememberMeAuthenticationToken`.
   */
  token: z.enum(['username-password', 'pre-authenticated']).default('username-password'),
});

/** What `springSession` takes. */
export interface SpringSessionOptions extends OptionsOf<typeof springOptionGroup> {}

/** {@link SpringSessionOptions} with their defaults. */
export type ResolvedSpringOptions = ResolvedOptionsOf<typeof springOptionGroup>;

const ROLE_PREFIX = 'ROLE_';

/**
 * For applications whose authorities are all roles: `ROLE_ADMIN` of Spring is `ADMIN` here. An authority of Spring without the
 * prefix is left out, so that it cannot pass for a role.
 */
export const springRoles: SpringAuthorities = {
  fromSpring: (authority) =>
    authority.startsWith(ROLE_PREFIX) ? authority.slice(ROLE_PREFIX.length) : undefined,
  toSpring: (authority) => ROLE_PREFIX + authority,
};
