import { type ExecutionContext } from '@nestjs/common';
import { type IncomingMessage } from 'node:http';
import { z } from 'zod';
import {
  type AccessDeniedHandler,
  defaultAccessDeniedHandler,
} from '../../http/answers/access-denied-handler.js';
import {
  type AuthenticationEntryPoint,
  defaultEntryPoint,
} from '../../http/answers/entry-points.js';
import {
  type AuthenticationFailureHandler,
  type AuthenticationSuccessHandler,
  defaultFailureHandler,
  savedRequestSuccessHandler,
  type LogoutHandler,
} from '../../http/answers/authentication-handlers.js';
import { type RequestCache, nullRequestCache } from '../../http/saved-requests/request-cache.js';
import { toSafeReturnPath } from '../../http/saved-requests/safe-return-path.js';
import { SessionRequestCache } from '../../http/saved-requests/session-request-cache.js';
import {
  type OptionsOf,
  type ResolvedOptionsOf,
  flagOption,
  functionOption,
  objectOption,
  patternOption,
  positiveOption,
  refuseContradictions,
  resolveOptionGroup,
  tokenOption,
} from '../../lib/option-group.js';
import {
  type Authentication,
  type UserAuthentication,
  defaultToAuthentication,
} from '../../security/authentication.js';
import { roleHierarchy } from '../../security/authorization.js';
import {
  rememberMeOptionGroup,
  type ResolvedRememberMeOptions,
} from '../../security/remember-me.js';
import { SESSION_FIXATION_STRATEGIES } from '../../security/session-fixation.js';

const path = z
  .string()
  .refine((value) => toSafeReturnPath(value) === value)
  .describe('a path of this site that starts with one "/"');
const text = (mustBe: string) => z.string().min(1).describe(mustBe);

/** What `security.csrf` takes. The names are those of Spring Security. */
export const csrfOptionGroup = z.strictObject({
  /** Header that scripts send the token with. */
  headerName: tokenOption('the name of a header').default('X-CSRF-TOKEN'),
  /** Requests that need no token, such as signed webhooks. */
  isExempt: functionOption<(request: IncomingMessage) => boolean>().default(() => () => false),
  /** Field that forms send the token with. */
  parameter: text('the name of a field').default('_csrf'),
});

/** What `security.logout` takes: a ready endpoint that logs out. */
export const logoutOptionGroup = z.strictObject({
  /** Whether all sessions of the user end, on all devices. Needs `repository: 'indexed'`. */
  endsEverySession: flagOption.default(false),
  /** Called in turn when the session is deleted. */
  handlers: z
    .array(objectOption<LogoutHandler>('a LogoutHandler'))
    .readonly()
    .describe('a list of LogoutHandlers')
    .default([]),
  /** Path whose `POST` logs out, as clients see it. A global prefix does not move it. */
  path: path.default('/logout'),
  /** Where browsers go afterwards. */
  successPath: path.default('/'),
});

/** What `security` takes. */
export const securityOptionGroup = z.strictObject({
  /** Answers users who lack an authority, and requests without a CSRF token. Default: 403, a page or problem details. */
  accessDeniedHandler: objectOption<AccessDeniedHandler>('an AccessDeniedHandler').optional(),
  /**
   * Seconds without a request after which the session of a visitor who is not logged in ends. Default: the same as for a
   * logged-in user.
   */
  anonymousMaxInactiveIntervalSeconds: positiveOption.optional(),
  /** Logs logins, logouts and denials, without ids, cookies and credentials. */
  auditLog: flagOption.default(false),
  /** Tells clients how to log in. Default: browsers go to `loginPage`, others get 401. */
  authenticationEntryPoint: objectOption<AuthenticationEntryPoint>(
    'an AuthenticationEntryPoint',
  ).optional(),
  /** Answers a failed login. Default: browsers go to `loginPage` with `?reason=bad-credentials`, others get 401. */
  authenticationFailureHandler: objectOption<AuthenticationFailureHandler>(
    'an AuthenticationFailureHandler',
  ).optional(),
  /**
   * Decides where a login leads: a path to redirect to, or undefined to answer with the handler's result. Default:
   * browsers go back to the page that they asked for, others get the handler's result.
   */
  authenticationSuccessHandler: objectOption<AuthenticationSuccessHandler>(
    'an AuthenticationSuccessHandler',
  ).optional(),
  /** `'annotated'` protects what a decorator names. `'all'` protects every route that is not `@Public()`. */
  authorization: z.enum(['annotated', 'all']).default('annotated'),
  /**
   * `Cache-Control` of what logged-in users get from handlers that set none, so that the back button shows nothing after
   * a logout. Also that of every response that sets the session cookie, unless the handler said `no-store` or `private`.
   * False sets none.
   */
  cacheControl: z
    .union([patternOption(/^[ -~]+$/, 'the value of the header'), z.literal(false)])
    .default('no-store'),
  /**
   * Whether `SecurityContextHolder` knows the user during a request. False saves 15 to 20 % of the CPU time of a bare
   * request on Fastify before Node 24. Then only messages, and code in `runAs`, have a context.
   */
  contextHolder: flagOption.default(true),
  /**
   * Returns a string that changes with the credentials of a user, such as the time of the last change of password. When it
   * changes, all sessions of the user end. Called at the login, and at each request with the user of `loadPrincipal`. The
   * session keeps a salted HMAC-SHA256 of it. Anything but a string fails the request. Needs `loadPrincipal`. Default:
   * sessions outlive such changes.
   */
  credentialStamp: functionOption<(user: object) => string>().optional(),
  /**
   * Whether requests other than GET, HEAD, OPTIONS and TRACE must send a token of their session, see `CsrfTokenService`.
   * Use it where `app.enableCsrfProtection()` of Nest 12 is not enough: see docs/security.md.
   */
  csrf: z
    .union([objectOption<CsrfOptions>('an object of CSRF options'), flagOption])
    .default(false),
  /** Path to go to after a login when no page was asked for before. */
  defaultSuccessPath: path.default('/'),
  /**
   * Seconds after a login for which the user counts as fully authenticated (`@FullyAuthenticated()`), however active the
   * session is. For remembered users `rememberMe.fullAuthenticationSeconds` counts, too. Default: as long as the session lives.
   */
  fullAuthenticationSeconds: positiveOption.optional(),
  /**
   * Path that browsers are redirected to, with `?reason=session-ended`, when their session has ended. Others get 401 once.
   * Default: they go on as anonymous visitors.
   */
  invalidSessionPath: path.optional(),
  /**
   * Loads the user at each request, when `toAuthentication` keeps only an id. Return undefined when the user no longer
   * exists. The authorities are what `toAuthentication` makes of this user. Without that option they are its `authorities` or
   * `roles`; if it has neither, those of the login stay.
   * Default: the session keeps the whole principal.
   */
  loadPrincipal: functionOption<(id: unknown) => unknown>().optional(),
  /** Path or URL of the login page. Browsers are redirected there, others get 401. Default: everybody gets 401. */
  loginPage: text('a path of this site, or an http(s) URL').optional(),
  /** A ready endpoint that logs out. Default: none; see `LogoutService`. */
  logout: objectOption<LogoutOptions>('an object of logout options').optional(),
  /**
   * Keeps users logged in for `validitySeconds` without a request, if their login has the field `parameter`. False ignores
   * that field.
   */
  rememberMe: z
    .union([objectOption<RememberMeOptions>('an object of remember-me options'), z.literal(false)])
    .default({}),
  /**
   * Keeps the page that a visitor asked for until the login. `'none'` keeps nothing. Default: `'session'` with `loginPage` or
   * `authenticationEntryPoint`, otherwise `'none'`.
   */
  requestCache: z
    .union([z.enum(['session', 'none']), objectOption<RequestCache>('a RequestCache')])
    .optional(),
  /** Authorities that include others: `{ ADMIN: ['EDITOR'], EDITOR: ['USER'] }`. */
  roleHierarchy: z
    .record(z.string(), z.array(z.string()).readonly())
    .readonly()
    .describe('an object such as { ADMIN: ["USER"] }')
    .optional(),
  /**
   * Returns who sent a microservice message. The library calls it for each message and does not call `loadPrincipal`, so
   * return the sender's current authorities. WebSocket messages come from the user of the handshake, GraphQL requests from
   * the user of the request. Default: microservice messages are anonymous.
   */
  rpcAuthentication: functionOption<RpcAuthentication>().optional(),
  /** Seconds without a request after which a session ends that holds nothing but saved requests. */
  savedRequestSeconds: positiveOption.default(300),
  /** What happens to the visitor's session at login. */
  sessionFixation: z.enum(SESSION_FIXATION_STRATEGIES).default('change-session-id'),
  /**
   * Turns the user of a passport strategy into what the session keeps. Leave credentials out. Called at the login, and at each
   * request with the user of `loadPrincipal`. Default: name from `username`, `sub`, `id`, `email` or `name`; authorities from
   * `authorities` or `roles`; the whole user as principal, without fields that look like a credential (docs/security.md).
   */
  toAuthentication: functionOption<(user: object) => UserAuthentication>().default(
    () => defaultToAuthentication,
  ),
});

/** @returns undefined for an anonymous sender */
type RpcAuthentication = (
  context: ExecutionContext,
) => Authentication | undefined | Promise<Authentication | undefined>;

/** What `security.csrf` takes. */
export interface CsrfOptions extends OptionsOf<typeof csrfOptionGroup> {}

/** What `security.logout` takes. */
export interface LogoutOptions extends OptionsOf<typeof logoutOptionGroup> {}

/** What `security.rememberMe` takes. */
export interface RememberMeOptions extends OptionsOf<typeof rememberMeOptionGroup> {}

/** {@link LogoutOptions} with their defaults. */
export interface ResolvedLogoutOptions extends ResolvedOptionsOf<typeof logoutOptionGroup> {}

/** What `security` of the module's options takes. */
export interface SecurityOptions extends OptionsOf<typeof securityOptionGroup> {}

/** {@link CsrfOptions} with their defaults. */
export interface ResolvedCsrfOptions extends ResolvedOptionsOf<typeof csrfOptionGroup> {}

/** {@link SecurityOptions} with their defaults. */
export interface ResolvedSecurityOptions extends ReturnType<typeof resolveSecurityOptions> {}

/** @throws SessionOptionError naming the option */
export function resolveSecurityOptions(options: SecurityOptions) {
  const resolved = resolveOptionGroup(securityOptionGroup, options, { prefix: 'security.' });
  const csrf: ResolvedCsrfOptions | false =
    resolved.csrf !== false &&
    resolveOptionGroup(csrfOptionGroup, resolved.csrf === true ? {} : resolved.csrf, {
      prefix: 'security.csrf.',
    });
  const logout: ResolvedLogoutOptions | undefined =
    resolved.logout &&
    resolveOptionGroup(logoutOptionGroup, resolved.logout, { prefix: 'security.logout.' });
  const rememberMe: ResolvedRememberMeOptions = resolveOptionGroup(
    rememberMeOptionGroup,
    resolved.rememberMe || {},
    {
      prefix: 'security.rememberMe.',
    },
  );
  refuseContradictions({
    'security.credentialStamp needs security.loadPrincipal, which looks up the user at each request. Add it.':
      resolved.credentialStamp !== undefined && !resolved.loadPrincipal,
  });
  return {
    ...resolved,
    accessDeniedHandler: resolved.accessDeniedHandler ?? defaultAccessDeniedHandler(),
    authenticationEntryPoint:
      resolved.authenticationEntryPoint ?? defaultEntryPoint(resolved.loginPage),
    authenticationFailureHandler:
      resolved.authenticationFailureHandler ?? defaultFailureHandler(resolved.loginPage),
    authenticationSuccessHandler:
      resolved.authenticationSuccessHandler ?? savedRequestSuccessHandler,
    csrf,
    isRememberMeOffered: resolved.rememberMe !== false,
    logout,
    rememberMe,
    requestCache: toRequestCache(resolved),
    roleHierarchy: resolved.roleHierarchy && roleHierarchy(resolved.roleHierarchy),
  };
}

function toRequestCache({
  requestCache,
  authenticationEntryPoint,
  loginPage,
}: ResolvedOptionsOf<typeof securityOptionGroup>): RequestCache {
  if (typeof requestCache === 'object') return requestCache;
  const leadsToLogin = loginPage !== undefined || authenticationEntryPoint !== undefined;
  const kind = requestCache ?? (leadsToLogin ? 'session' : 'none');
  return kind === 'session' ? new SessionRequestCache() : nullRequestCache;
}
