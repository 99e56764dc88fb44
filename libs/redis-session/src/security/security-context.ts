import { type Authentication } from './authentication.js';

/** The security state of one request. Mirrors `SecurityContext` of Spring Security. */
export interface SecurityContext {
  /** undefined = anonymous */
  readonly authentication: Authentication | undefined;
}

/** The context of an anonymous visitor. */
export const EMPTY_SECURITY_CONTEXT: SecurityContext = Object.freeze({ authentication: undefined });
