import { type ExecutionContext } from '@nestjs/common';
import { z } from 'zod';
import {
  type AccessDeniedHandler,
  defaultAccessDeniedHandler,
} from '../http/access-denied-handler.js';
import { type AuthenticationEntryPoint } from '../http/authentication-entry-point.js';
import { defaultEntryPoint } from '../http/default-entry-point.js';
import { nullRequestCache, type RequestCache } from '../http/request-cache.js';
import { SessionRequestCache } from '../http/session-request-cache.js';
import {
  defaultFailureHandler,
  type AuthenticationFailureHandler,
} from '../http/authentication-failure-handler.js';
import {
  savedRequestSuccessHandler,
  type AuthenticationSuccessHandler,
} from '../http/authentication-success-handler.js';
import { type LogoutHandler } from '../http/logout-handler.js';
import { type Authentication } from '../security/authentication.js';
import { DEFAULT_REMEMBER_ME_OPTIONS, type RememberMeOptions } from '../security/remember-me.js';
import { toSafeReturnPath } from '../http/safe-return-path.js';
import { roleHierarchy, type RoleHierarchy } from '../security/role-hierarchy.js';
import { type SessionFixationStrategy } from '../security/session-fixation.js';
import { checkOptions } from '../session/check-options.js';
import { type CsrfOptions, resolveCsrfOptions, type ResolvedCsrfOptions } from './csrf.options.js';
import { defaultToAuthentication, type UserAuthentication } from './to-authentication.js';

/** Gives the principal whose id is kept in the session; undefined = there is no such user any more, and nobody is logged in. */
export type PrincipalLookup = (id: unknown) => unknown;

/** @returns undefined when nobody is known to have sent the message */
export type RpcAuthentication = (
  context: ExecutionContext,
) => Authentication | undefined | Promise<Authentication | undefined>;

/** What `security` of the module's options takes. The defaults are in {@link DEFAULT_SECURITY_OPTIONS}. */
export interface SecurityOptions {
  /** Answers users who may not do what they ask. @defaultValue 403, as a page for browsers and as problem details for others */
  readonly accessDeniedHandler?: AccessDeniedHandler | undefined;
  /**
   * Seconds without a request after which the session of a visitor who is not logged in ends. A positive integer.
   * @defaultValue as of a logged-in user, `maxInactiveIntervalSeconds`
   */
  readonly anonymousMaxInactiveIntervalSeconds?: number | undefined;
  /** Has the log tell of logins, logouts and denials, without ids, cookies and credentials. @defaultValue false */
  readonly auditLog?: boolean | undefined;
  /** Tells clients how to log in. @defaultValue browsers go to `loginPage`, others get 401 */
  readonly authenticationEntryPoint?: AuthenticationEntryPoint | undefined;
  /** `'annotated'` protects what a decorator names; `'all'` protects every route that is not `@Public()`. @defaultValue 'annotated' */
  readonly authorization?: 'annotated' | 'all' | undefined;
  /**
   * `Cache-Control` of what logged-in users get from handlers that set none, so that the back button shows nothing after
   * a logout. `false` = none is set.
   * @defaultValue 'no-store'
   */
  readonly cacheControl?: string | false | undefined;
  /**
   * Whether `SecurityContextHolder` knows the user in the course of a request. `false` saves 15 to 20 % of the CPU time of
   * a bare request on Fastify before Node 24; then only what runs in `runAs`, and messages, have a context.
   * @defaultValue true
   */
  readonly contextHolder?: boolean | undefined;
  /**
   * Decides where a login leads: a path to redirect to, or undefined to answer with the handler's result.
   * @defaultValue browsers go back to the page that they asked for, others get the handler's result
   */
  readonly authenticationSuccessHandler?: AuthenticationSuccessHandler | undefined;
  /** Answers a login that failed. @defaultValue browsers go to `loginPage` with `?reason=bad-credentials`, others get 401 */
  readonly authenticationFailureHandler?: AuthenticationFailureHandler | undefined;
  /**
   * Requests other than GET, HEAD, OPTIONS and TRACE must send a token of their session, see `CsrfTokenService`. `true` =
   * `DEFAULT_CSRF_OPTIONS`. Needed where `app.enableCsrfProtection()` of Nest 12 is not enough: see docs/security.md.
   * @defaultValue false
   */
  readonly csrf?: CsrfOptions | boolean | undefined;
  /** Path to go to after a login when no page was asked for before. @defaultValue '/' */
  readonly defaultSuccessPath?: string | undefined;
  /**
   * Path that browsers are sent to, with `?reason=session-ended`, when their session has ended; others get 401 once.
   * @defaultValue undefined = they go on as anonymous visitors
   */
  readonly invalidSessionPath?: string | undefined;
  /** Looks up the principal at each request, when `toAuthentication` keeps only its id. @defaultValue undefined = the whole principal is kept */
  readonly loadPrincipal?: PrincipalLookup | undefined;
  /** Path of the login page: browsers are sent there; others get 401. @defaultValue undefined = everybody gets 401 */
  readonly loginPage?: string | undefined;
  /** A ready endpoint that logs out: `POST` to `path`. @defaultValue undefined = none; see `LogoutService` */
  readonly logout?: LogoutOptions | undefined;
  /**
   * Users who ask for it by the field `parameter` of the login stay logged in for `validitySeconds` without a request; for
   * `@FullyAuthenticated()` pages they are asked again `fullAuthenticationSeconds` after a login. `false` = nobody.
   * @defaultValue `DEFAULT_REMEMBER_ME_OPTIONS`
   */
  readonly rememberMe?: Partial<RememberMeOptions> | false | undefined;
  /** Keeps the page that a visitor asked for while he logs in; `'none'` keeps nothing. @defaultValue 'session' */
  readonly requestCache?: RequestCache | 'session' | 'none' | undefined;
  /** Authorities that include others: `{ ADMIN: ['EDITOR'], EDITOR: ['USER'] }`. @defaultValue each stands for itself */
  readonly roleHierarchy?: Readonly<Record<string, readonly string[]>> | undefined;
  /**
   * Says who a microservice message comes from, by what it carries and can be trusted with. WebSocket messages come from
   * the user whose session cookie came with the handshake, GraphQL requests from the one whose came with the request.
   * @defaultValue undefined = microservice messages are anonymous
   */
  readonly rpcAuthentication?: RpcAuthentication | undefined;
  /** What becomes of the visitor's session at login. @defaultValue 'change-session-id' */
  readonly sessionFixation?: SessionFixationStrategy | undefined;
  /**
   * Makes of a user, as a passport strategy returns it, what is kept in the session. Leave credentials out.
   * @defaultValue name from `username`, `name`, `email` or `id`; authorities from `authorities` or `roles`; the whole user
   * as principal, without fields that are called like a credential (docs/security.md)
   */
  readonly toAuthentication?: ((user: object) => UserAuthentication) | undefined;
}

/** The ready logout endpoint. */
export interface LogoutOptions {
  /** Whether all sessions of the user end, on all devices; needs `repository: 'indexed'`. @defaultValue false */
  readonly endsEverySession?: boolean | undefined;
  /** @defaultValue '/logout' */
  readonly path?: string | undefined;
  /** Where browsers go afterwards. @defaultValue '/' */
  readonly successPath?: string | undefined;
  /** Called in turn when the session is deleted. @defaultValue none */
  readonly handlers?: readonly LogoutHandler[] | undefined;
}

/** {@link LogoutOptions} with their defaults. */
export type ResolvedLogoutOptions = {
  readonly [Name in keyof LogoutOptions]-?: Exclude<LogoutOptions[Name], undefined>;
};

/** The defaults of {@link LogoutOptions}. */
export const DEFAULT_LOGOUT_OPTIONS: ResolvedLogoutOptions = {
  endsEverySession: false,
  handlers: [],
  path: '/logout',
  successPath: '/',
};

/** The security options with their defaults; nothing is left to decide inside. */
export interface ResolvedSecurityOptions {
  readonly accessDeniedHandler: AccessDeniedHandler;
  readonly anonymousMaxInactiveIntervalSeconds: number | undefined;
  readonly auditLog: boolean;
  readonly authenticationEntryPoint: AuthenticationEntryPoint;
  readonly authenticationFailureHandler: AuthenticationFailureHandler;
  readonly authenticationSuccessHandler: AuthenticationSuccessHandler;
  readonly authorization: 'annotated' | 'all';
  readonly cacheControl: string | false;
  readonly contextHolder: boolean;
  readonly csrf: ResolvedCsrfOptions | false;
  readonly defaultSuccessPath: string;
  readonly invalidSessionPath: string | undefined;
  readonly loadPrincipal: PrincipalLookup | undefined;
  readonly loginPage: string | undefined;
  readonly logout: ResolvedLogoutOptions | undefined;
  readonly rememberMe: RememberMeOptions;
  readonly isRememberMeOffered: boolean;
  readonly requestCache: RequestCache;
  readonly roleHierarchy: RoleHierarchy | undefined;
  readonly rpcAuthentication: RpcAuthentication | undefined;
  readonly sessionFixation: SessionFixationStrategy;
  readonly toAuthentication: (user: object) => UserAuthentication;
}

/** The default of every security option that has one. */
export const DEFAULT_SECURITY_OPTIONS = {
  auditLog: false,
  authorization: 'annotated',
  cacheControl: 'no-store',
  contextHolder: true,
  csrf: false,
  defaultSuccessPath: '/',
  rememberMe: DEFAULT_REMEMBER_ME_OPTIONS,
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
  auditLog: z.boolean().describe('true or false'),
  authenticationEntryPoint: object.optional().describe('an AuthenticationEntryPoint'),
  authenticationFailureHandler: object.optional().describe('an AuthenticationFailureHandler'),
  authenticationSuccessHandler: object.optional().describe('an AuthenticationSuccessHandler'),
  authorization: z.enum(['annotated', 'all']).describe('"annotated" or "all"'),
  cacheControl: z
    .union([z.literal(false), z.string().regex(/^[ -~]+$/)])
    .describe('the value of the header or false'),
  contextHolder: z.boolean().describe('true or false'),
  csrf: z.union([z.boolean(), object]).describe('an object of CSRF options, true or false'),
  defaultSuccessPath: path.describe(PATH),
  invalidSessionPath: path.optional().describe(PATH),
  loadPrincipal: fn.optional().describe('a function'),
  loginPage: z.string().min(1).optional().describe('a path of this site, or an http(s) URL'),
  logout: object.optional().describe('an object of logout options'),
  rememberMe: z
    .union([z.literal(false), object])
    .describe('an object of remember-me options or false'),
  requestCache: z
    .union([z.enum(['session', 'none']), object])
    .describe('"session", "none" or a RequestCache'),
  roleHierarchy: object.optional().describe('an object such as { ADMIN: ["USER"] }'),
  rpcAuthentication: fn.optional().describe('a function'),
  sessionFixation: z
    .enum(['change-session-id', 'migrate-session', 'new-session', 'none'])
    .describe('"change-session-id", "migrate-session", "new-session" or "none"'),
  toAuthentication: fn.describe('a function'),
});

const logoutSchema = z.strictObject({
  endsEverySession: z.boolean().describe('true or false'),
  path: path.describe(PATH),
  successPath: path.describe(PATH),
  handlers: z.array(object).describe('a list of LogoutHandlers'),
});

const rememberMeSchema = z.strictObject({
  fullAuthenticationSeconds: z.int().positive().describe('a positive integer'),
  parameter: z.string().min(1).describe('the name of a field'),
  validitySeconds: z.int().positive().describe('a positive integer'),
});

/** @throws SessionOptionError naming the option */
export function resolveSecurityOptions(
  options: SecurityOptions | false,
): ResolvedSecurityOptions | false {
  if (options === false) return false;
  const merged = {
    ...DEFAULT_SECURITY_OPTIONS,
    ...given(options),
  };
  checkOptions(schema, { ...merged }, { prefix: 'security.' });
  return {
    ...merged,
    accessDeniedHandler: merged.accessDeniedHandler ?? defaultAccessDeniedHandler(),
    anonymousMaxInactiveIntervalSeconds: merged.anonymousMaxInactiveIntervalSeconds,
    authenticationEntryPoint: merged.authenticationEntryPoint ?? defaultEntryPoint(merged),
    authenticationFailureHandler:
      merged.authenticationFailureHandler ?? defaultFailureHandler(merged.loginPage),
    authenticationSuccessHandler: merged.authenticationSuccessHandler ?? savedRequestSuccessHandler,
    csrf: resolveCsrfOptions(typeof merged.csrf === 'object' ? given(merged.csrf) : merged.csrf),
    invalidSessionPath: merged.invalidSessionPath,
    isRememberMeOffered: merged.rememberMe !== false,
    loadPrincipal: merged.loadPrincipal,
    loginPage: merged.loginPage,
    logout: merged.logout && resolveLogoutOptions(merged.logout),
    rememberMe: resolveRememberMe(merged.rememberMe),
    requestCache: toRequestCache(merged.requestCache),
    roleHierarchy: merged.roleHierarchy && roleHierarchy(merged.roleHierarchy),
    rpcAuthentication: merged.rpcAuthentication,
  };
}

function resolveLogoutOptions(options: LogoutOptions): ResolvedLogoutOptions {
  const merged = { ...DEFAULT_LOGOUT_OPTIONS, ...given(options) };
  return checkOptions(logoutSchema, merged, {
    prefix: 'security.logout.',
  }) as ResolvedLogoutOptions;
}

function resolveRememberMe(options: Partial<RememberMeOptions> | false): RememberMeOptions {
  const merged = { ...DEFAULT_REMEMBER_ME_OPTIONS, ...given(options === false ? {} : options) };
  return checkOptions(rememberMeSchema, merged, { prefix: 'security.rememberMe.' });
}

type Given<T> = { [Name in keyof T]?: Exclude<T[Name], undefined> };

/** An option that is undefined is one that is not given. */
function given<T extends object>(options: T): Given<T> {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Given<T>;
}

function toRequestCache(option: RequestCache | 'session' | 'none'): RequestCache {
  if (option === 'none') return nullRequestCache;
  return option === 'session' ? new SessionRequestCache() : option;
}
