import { z } from 'zod';
import { checkOptions } from '../session/check-options.js';

/** What `security` of the module's options takes. The defaults are in {@link DEFAULT_SECURITY_OPTIONS}. */
export interface SecurityOptions {
  /** `'annotated'` protects what a decorator names; `'all'` protects every route that is not `@Public()`. @defaultValue 'annotated' */
  readonly authorization?: 'annotated' | 'all' | undefined;
  /** Path to go to after a login when no page was asked for before. @defaultValue '/' */
  readonly defaultSuccessPath?: string | undefined;
  /** Path of the login page: browsers are sent there; others get 401. @defaultValue undefined = everybody gets 401 */
  readonly loginPage?: string | undefined;
}

/** The security options with their defaults. */
export interface ResolvedSecurityOptions {
  readonly authorization: 'annotated' | 'all';
  readonly defaultSuccessPath: string;
  readonly loginPage: string | undefined;
}

/** The default of every security option that has one. */
export const DEFAULT_SECURITY_OPTIONS: ResolvedSecurityOptions = {
  authorization: 'annotated',
  defaultSuccessPath: '/',
  loginPage: undefined,
};

const path = z.string().regex(/^\/(?![/\\])/);

const schema = z.strictObject({
  authorization: z.enum(['annotated', 'all']).describe('"annotated" or "all"'),
  defaultSuccessPath: path.describe('a path that starts with one "/"'),
  loginPage: path.optional().describe('a path that starts with one "/"'),
});

/** @throws SessionOptionError naming the option */
export function resolveSecurityOptions(
  options: SecurityOptions | false,
): ResolvedSecurityOptions | false {
  if (options === false) return false;
  const given = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const merged = { ...DEFAULT_SECURITY_OPTIONS, ...given };
  checkOptions(schema, merged, { prefix: 'security.' });
  return merged;
}
