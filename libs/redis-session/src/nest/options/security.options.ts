import { type ExecutionContext } from '@nestjs/common';
import {
  type AccessDeniedHandler,
  defaultAccessDeniedHandler,
} from '../../http/answers/access-denied-handler.js';
import {
  type AuthenticationEntryPoint,
  defaultEntryPoint,
} from '../../http/answers/entry-points.js';
import { type RequestCache, nullRequestCache } from '../../http/saved-requests/request-cache.js';
import { SessionRequestCache } from '../../http/saved-requests/session-request-cache.js';
import {
  type AuthenticationFailureHandler,
  type AuthenticationSuccessHandler,
  defaultFailureHandler,
  savedRequestSuccessHandler,
} from '../../http/answers/login-handlers.js';
import { type LogoutHandler } from '../../http/answers/logout-handler.js';
import { type Authentication } from '../../security/authentication.js';
import { DEFAULT_REMEMBER_ME_OPTIONS, type RememberMeOptions } from '../../security/remember-me.js';
import { type RoleHierarchy, roleHierarchy } from '../../security/authorization.js';
import { type SessionFixationStrategy } from '../../security/session-fixation.js';
import {
  checkLogoutOptions,
  checkRememberMeOptions,
  checkSecurityOptions,
} from './security.options-schema.js';
import {
  type UserAuthentication,
  defaultToAuthentication,
} from '../../security/to-authentication.js';
import { type IncomingMessage } from 'node:http';
import { z } from 'zod';
import { anyFunction, checkOptions } from '../../lib/check-options.js';

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

/** @throws SessionOptionError naming the option */
export function resolveSecurityOptions(
  options: SecurityOptions | false,
): ResolvedSecurityOptions | false {
  if (options === false) return false;
  const merged = { ...DEFAULT_SECURITY_OPTIONS, ...given(options) };
  checkSecurityOptions(merged);
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
  checkLogoutOptions(merged);
  return merged;
}

function resolveRememberMe(options: Partial<RememberMeOptions> | false): RememberMeOptions {
  const merged = { ...DEFAULT_REMEMBER_ME_OPTIONS, ...given(options === false ? {} : options) };
  checkRememberMeOptions(merged);
  return merged;
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

/** What `security.csrf` takes. The defaults are in {@link DEFAULT_CSRF_OPTIONS}. */
export interface CsrfOptions {
  /** Requests that need no token, such as webhooks that are signed. @defaultValue none */
  readonly isExempt?: ((request: IncomingMessage) => boolean) | undefined;
  /** Header that scripts send the token with. @defaultValue 'X-CSRF-TOKEN' */
  readonly headerName?: string | undefined;
  /** Field that forms send the token with. @defaultValue '_csrf' */
  readonly parameter?: string | undefined;
}

/** {@link CsrfOptions} with their defaults. */
export type ResolvedCsrfOptions = {
  readonly [Name in keyof CsrfOptions]-?: Exclude<CsrfOptions[Name], undefined>;
};

/** The defaults of {@link CsrfOptions}. The names are those of Spring Security. */
export const DEFAULT_CSRF_OPTIONS: ResolvedCsrfOptions = {
  headerName: 'X-CSRF-TOKEN',
  isExempt: () => false,
  parameter: '_csrf',
};

const schema = z.strictObject({
  headerName: z
    .string()
    .regex(/^[\w!#$%&'*+.^`|~-]+$/)
    .describe('the name of a header'),
  isExempt: anyFunction.describe('a function'),
  parameter: z.string().min(1).describe('the name of a field'),
});

/** @param options - without members that are undefined. @throws SessionOptionError naming the option */
export function resolveCsrfOptions(options: CsrfOptions | boolean): ResolvedCsrfOptions | false {
  if (options === false) return false;
  const merged = { ...DEFAULT_CSRF_OPTIONS, ...(options === true ? {} : options) };
  return checkOptions(schema, merged, { prefix: 'security.csrf.' }) as ResolvedCsrfOptions;
}
