import { z } from 'zod';
import { type AccessDeniedHandler, defaultAccessDeniedHandler } from '../http/access-denied-handler.js';
import { type AuthenticationEntryPoint } from '../http/authentication-entry-point.js';
import { defaultEntryPoint } from '../http/default-entry-point.js';
import { nullRequestCache, type RequestCache } from '../http/request-cache.js';
import { SessionRequestCache } from '../http/session-request-cache.js';
import { toSafeReturnPath } from '../http/safe-return-path.js';
import { roleHierarchy, type RoleHierarchy } from '../security/role-hierarchy.js';
import { type SessionFixationStrategy } from '../security/session-fixation.js';
import { checkOptions } from '../session/check-options.js';
import { defaultToAuthentication, type UserAuthentication } from './to-authentication.js';

/** Gives the principal whose id is kept in the session; undefined = there is no such user any more, and nobody is logged in. */
export type PrincipalLoader = (id: unknown) => unknown;

/** What `security` of the module's options takes. The defaults are in {@link DEFAULT_SECURITY_OPTIONS}. */
export interface SecurityOptions {
  /** Answers users who may not do what they ask. @defaultValue 403, as a page for browsers and as problem details for others */
  readonly accessDeniedHandler?: AccessDeniedHandler | undefined;
  /**
   * Seconds without a request after which the session of a visitor who is not logged in ends. A positive integer.
   * @defaultValue as of a logged-in user, `maxInactiveIntervalSeconds`
   */
  readonly anonymousMaxInactiveIntervalSeconds?: number | undefined;
  /** Tells clients how to log in. @defaultValue browsers go to `loginPage`, others get 401 */
  readonly authenticationEntryPoint?: AuthenticationEntryPoint | undefined;
  /** `'annotated'` protects what a decorator names; `'all'` protects every route that is not `@Public()`. @defaultValue 'annotated' */
  readonly authorization?: 'annotated' | 'all' | undefined;
  /** Path to go to after a login when no page was asked for before. @defaultValue '/' */
  readonly defaultSuccessPath?: string | undefined;
  /**
   * Path that browsers are sent to, with `?reason=session-ended`, when their session has ended; others get 401 once.
   * @defaultValue undefined = they go on as anonymous visitors
   */
  readonly invalidSessionPath?: string | undefined;
  /** Looks up the principal at each request, when `toAuthentication` keeps only its id. @defaultValue undefined = the whole principal is kept */
  readonly loadPrincipal?: PrincipalLoader | undefined;
  /** Path of the login page: browsers are sent there; others get 401. @defaultValue undefined = everybody gets 401 */
  readonly loginPage?: string | undefined;
  /** Keeps the page that a visitor asked for while he logs in; `'none'` keeps nothing. @defaultValue 'session' */
  readonly requestCache?: RequestCache | 'session' | 'none' | undefined;
  /** Authorities that include others: `{ ADMIN: ['EDITOR'], EDITOR: ['USER'] }`. @defaultValue each stands for itself */
  readonly roleHierarchy?: Readonly<Record<string, readonly string[]>> | undefined;
  /** What becomes of the visitor's session at login. @defaultValue 'change-session-id' */
  readonly sessionFixation?: SessionFixationStrategy | undefined;
  /**
   * Makes of a user, as a passport strategy returns it, what is kept in the session: never a credential.
   * @defaultValue name from `username`, `name`, `email` or `id`; authorities from `authorities` or `roles`; the whole user
   * without fields such as `password` as principal
   */
  readonly toAuthentication?: ((user: object) => UserAuthentication) | undefined;
}

/** The security options with their defaults; nothing is left to decide inside. */
export interface ResolvedSecurityOptions {
  readonly accessDeniedHandler: AccessDeniedHandler;
  readonly anonymousMaxInactiveIntervalSeconds: number | undefined;
  readonly authenticationEntryPoint: AuthenticationEntryPoint;
  readonly authorization: 'annotated' | 'all';
  readonly defaultSuccessPath: string;
  readonly invalidSessionPath: string | undefined;
  readonly loadPrincipal: PrincipalLoader | undefined;
  readonly loginPage: string | undefined;
  readonly requestCache: RequestCache;
  readonly roleHierarchy: RoleHierarchy | undefined;
  readonly sessionFixation: SessionFixationStrategy;
  readonly toAuthentication: (user: object) => UserAuthentication;
}

/** The default of every security option that has one. */
export const DEFAULT_SECURITY_OPTIONS = {
  authorization: 'annotated',
  defaultSuccessPath: '/',
  requestCache: 'session',
  sessionFixation: 'change-session-id',
  toAuthentication: defaultToAuthentication,
} as const satisfies SecurityOptions;

const fn = z.custom((value) => typeof value === 'function');
const object = z.custom((value) => typeof value === 'object' && value !== null);
const path = z.string().refine((value) => toSafeReturnPath(value) === value);
const PATH = 'a path of this site that starts with one "/"';

/** The description of each member completes "`security.<name>` must be …". */
const schema = z.strictObject({
  accessDeniedHandler: object.optional().describe('an AccessDeniedHandler'),
  anonymousMaxInactiveIntervalSeconds: z.int().positive().optional().describe('a positive integer'),
  authenticationEntryPoint: object.optional().describe('an AuthenticationEntryPoint'),
  authorization: z.enum(['annotated', 'all']).describe('"annotated" or "all"'),
  defaultSuccessPath: path.describe(PATH),
  invalidSessionPath: path.optional().describe(PATH),
  loadPrincipal: fn.optional().describe('a function'),
  loginPage: z.string().min(1).optional().describe('a path of this site, or an http(s) URL'),
  requestCache: z
    .union([z.enum(['session', 'none']), object])
    .describe('"session", "none" or a RequestCache'),
  roleHierarchy: object.optional().describe('an object such as { ADMIN: ["USER"] }'),
  sessionFixation: z
    .enum(['change-session-id', 'migrate-session', 'new-session', 'none'])
    .describe('"change-session-id", "migrate-session", "new-session" or "none"'),
  toAuthentication: fn.describe('a function'),
});

/** @throws SessionOptionError naming the option */
export function resolveSecurityOptions(
  options: SecurityOptions | false,
): ResolvedSecurityOptions | false {
  if (options === false) return false;
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const merged: SecurityOptions & typeof DEFAULT_SECURITY_OPTIONS = {
    ...DEFAULT_SECURITY_OPTIONS,
    ...given,
  };
  checkOptions(schema, merged, { prefix: 'security.' });
  const { authenticationEntryPoint, authorization, defaultSuccessPath, loginPage } = merged;
  return {
    accessDeniedHandler: merged.accessDeniedHandler ?? defaultAccessDeniedHandler(),
    anonymousMaxInactiveIntervalSeconds: merged.anonymousMaxInactiveIntervalSeconds,
    authenticationEntryPoint: authenticationEntryPoint ?? defaultEntryPoint({ loginPage }),
    authorization,
    defaultSuccessPath,
    invalidSessionPath: merged.invalidSessionPath,
    loadPrincipal: merged.loadPrincipal,
    loginPage,
    requestCache: toRequestCache(merged.requestCache),
    roleHierarchy: merged.roleHierarchy && roleHierarchy(merged.roleHierarchy),
    sessionFixation: merged.sessionFixation,
    toAuthentication: merged.toAuthentication,
  };
}

function toRequestCache(option: RequestCache | 'session' | 'none'): RequestCache {
  if (option === 'none') return nullRequestCache;
  return option === 'session' ? new SessionRequestCache() : option;
}
