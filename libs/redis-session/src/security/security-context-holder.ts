import { AsyncLocalStorage } from 'node:async_hooks';
import { type Authentication } from './authentication.js';
import { EMPTY_SECURITY_CONTEXT, type SecurityContext } from './security-context.js';

/** What belongs to the code that runs in the course of one request, in its timers and promises too. */
export interface SecurityScope {
  securityContext: SecurityContext;
  /** The scope in whose course this one was opened. */
  readonly parent?: SecurityScope | undefined;
}

const scopes = new AsyncLocalStorage<SecurityScope>();

/**
 * Gives any code the security context of the request in whose course it runs.
 *
 * Mirrors `SecurityContextHolder` of Spring Security, by AsyncLocalStorage in place of a ThreadLocal.
 */
export const SecurityContextHolder = {
  /** @returns the empty context outside a request */
  getContext(): SecurityContext {
    return scopes.getStore()?.securityContext ?? EMPTY_SECURITY_CONTEXT;
  },

  /** @returns undefined for an anonymous visitor and outside a request */
  getAuthentication(): Authentication | undefined {
    return SecurityContextHolder.getContext().authentication;
  },

  /** Runs `action` as somebody else: a job, a message handler, a test. The context before it is back afterwards. */
  runAs<T>(securityContext: SecurityContext, action: () => T): T {
    return scopes.run({ securityContext, parent: scopes.getStore() }, action);
  },
};

/** Runs `action` in `scope`. */
export function runInScope<T>(scope: SecurityScope, action: () => T): T {
  return scopes.run(scope, action);
}
