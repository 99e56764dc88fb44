import { z } from 'zod';
import { toSafeReturnPath } from '../../http/saved-requests/safe-return-path.js';
import { anyFunction, anyObject, checkOptions } from '../../lib/check-options.js';

const path = z.string().refine((value) => toSafeReturnPath(value) === value);
const PATH = 'a path of this site that starts with one "/"';

/** The description of each member completes "`security.<name>` must be …". */
const schema = z.strictObject({
  accessDeniedHandler: anyObject.optional().describe('an AccessDeniedHandler'),
  anonymousMaxInactiveIntervalSeconds: z.int().positive().optional().describe('a positive integer'),
  auditLog: z.boolean().describe('true or false'),
  authenticationEntryPoint: anyObject.optional().describe('an AuthenticationEntryPoint'),
  authenticationFailureHandler: anyObject.optional().describe('an AuthenticationFailureHandler'),
  authenticationSuccessHandler: anyObject.optional().describe('an AuthenticationSuccessHandler'),
  authorization: z.enum(['annotated', 'all']).describe('"annotated" or "all"'),
  cacheControl: z
    .union([z.literal(false), z.string().regex(/^[ -~]+$/)])
    .describe('the value of the header or false'),
  contextHolder: z.boolean().describe('true or false'),
  csrf: z.union([z.boolean(), anyObject]).describe('an object of CSRF options, true or false'),
  defaultSuccessPath: path.describe(PATH),
  invalidSessionPath: path.optional().describe(PATH),
  loadPrincipal: anyFunction.optional().describe('a function'),
  loginPage: z.string().min(1).optional().describe('a path of this site, or an http(s) URL'),
  logout: anyObject.optional().describe('an object of logout options'),
  rememberMe: z
    .union([z.literal(false), anyObject])
    .describe('an object of remember-me options or false'),
  requestCache: z
    .union([z.enum(['session', 'none']), anyObject])
    .describe('"session", "none" or a RequestCache'),
  roleHierarchy: anyObject.optional().describe('an object such as { ADMIN: ["USER"] }'),
  rpcAuthentication: anyFunction.optional().describe('a function'),
  sessionFixation: z
    .enum(['change-session-id', 'migrate-session', 'new-session', 'none'])
    .describe('"change-session-id", "migrate-session", "new-session" or "none"'),
  toAuthentication: anyFunction.describe('a function'),
});

const logoutSchema = z.strictObject({
  endsEverySession: z.boolean().describe('true or false'),
  path: path.describe(PATH),
  successPath: path.describe(PATH),
  handlers: z.array(anyObject).describe('a list of LogoutHandlers'),
});

const rememberMeSchema = z.strictObject({
  fullAuthenticationSeconds: z.int().positive().describe('a positive integer'),
  parameter: z.string().min(1).describe('the name of a field'),
  validitySeconds: z.int().positive().describe('a positive integer'),
});

/** @param options - `security`, with its defaults filled in. @throws SessionOptionError naming the option */
export function checkSecurityOptions(options: object): void {
  checkOptions(schema, { ...options }, { prefix: 'security.' });
}

/** @param options - `security.logout`, with its defaults filled in. @throws SessionOptionError naming the option */
export function checkLogoutOptions(options: object): void {
  checkOptions(logoutSchema, { ...options }, { prefix: 'security.logout.' });
}

/** @param options - `security.rememberMe`, with its defaults filled in. @throws SessionOptionError naming the option */
export function checkRememberMeOptions(options: object): void {
  checkOptions(rememberMeSchema, { ...options }, { prefix: 'security.rememberMe.' });
}
