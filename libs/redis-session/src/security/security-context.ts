import { type Authentication } from './authentication.js';
import { AsyncLocalStorage } from 'node:async_hooks';
import { SECURITY_CONTEXT_ATTRIBUTE } from '../session/attributes/attribute-names.js';
import { type Session, type SessionView } from '../session/session.js';

/** The security state of one request. Mirrors `SecurityContext` of Spring Security. */
export interface SecurityContext {
  /** undefined = anonymous */
  readonly authentication: Authentication | undefined;
  /** Only as it is stored, see the option `security.credentialStamp`. */
  readonly credentialStamp?: string | undefined;
  /** Only as it is stored: the user has asked to be remembered. Who shares the session must not take the login for a full one. */
  readonly isRemembered?: boolean | undefined;
}

/** The context of an anonymous visitor. */
export const EMPTY_SECURITY_CONTEXT: SecurityContext = Object.freeze({ authentication: undefined });

/** What belongs to the code that runs in the course of one request, in its timers and promises too. */
export interface SecurityScope {
  securityContext: SecurityContext;
  /** Once it is closed, what still runs in the scope, such as a connection that it has opened, is nobody's. */
  readonly response?: { readonly closed: boolean; readonly destroyed: boolean };
  /** The scope in whose course this one was opened. */
  readonly parent?: SecurityScope | undefined;
}

const scopes = new AsyncLocalStorage<SecurityScope>();

/**
 * Gives any code the security context of the request in whose course it runs, until its response has left. Work that
 * outlives the response takes the context along: `runAs(SecurityContextHolder.getContext(), work)`. Mirrors
 * `SecurityContextHolder` of Spring Security.
 */
export const SecurityContextHolder = {
  /** @returns the empty context outside a request */
  getContext(): SecurityContext {
    const scope = scopes.getStore();
    return scope && !isOver(scope) ? scope.securityContext : EMPTY_SECURITY_CONTEXT;
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

/** Whether the response has left, or its client has gone. */
function isOver({ response }: SecurityScope): boolean {
  return response !== undefined && (response.closed || response.destroyed);
}

/** Runs `action` in `scope`. */
export function runInScope<T>(scope: SecurityScope, action: () => T): T {
  return scopes.run(scope, action);
}

/** Keeps the security context as an attribute of the session. Mirrors `HttpSessionSecurityContextRepository` of Spring Security. */
export const sessionSecurityContextRepository = {
  /** @returns the empty context when none is stored, or what is stored is none */
  loadContext(session: SessionView): SecurityContext {
    const stored: unknown = session.getAttribute(SECURITY_CONTEXT_ATTRIBUTE);
    return isSecurityContext(stored) ? stored : EMPTY_SECURITY_CONTEXT;
  },

  /** The empty context removes what is stored. */
  saveContext(
    session: Session,
    { authentication, credentialStamp, isRemembered = false }: SecurityContext,
  ): void {
    const stored = {
      authentication,
      ...(credentialStamp !== undefined && { credentialStamp }),
      ...(isRemembered && { isRemembered }),
    };
    session.setAttribute<object>(SECURITY_CONTEXT_ATTRIBUTE, authentication ? stored : undefined);
  },
};

function isSecurityContext(stored: unknown): stored is SecurityContext {
  return (
    typeof stored === 'object' &&
    stored !== null &&
    'authentication' in stored &&
    isAuthentication(stored.authentication)
  );
}

/** @throws TypeError for what `security.toAuthentication` made when nobody would be logged in by it */
export function requireAuthentication(value: unknown): void {
  if (isAuthentication(value)) return;
  throw new TypeError(
    'Cannot log in: security.toAuthentication must return an object with a name and a list of authorities.',
  );
}

/** Whether `value` tells what decides about a request: a name, and authorities. */
function isAuthentication(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'authorities' in value &&
    Array.isArray(value.authorities)
  );
}
