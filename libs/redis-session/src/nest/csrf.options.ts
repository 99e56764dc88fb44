import { type IncomingMessage } from 'node:http';
import { z } from 'zod';
import { anyFunction, checkOptions } from '../session/check-options.js';

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
