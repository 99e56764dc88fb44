import {
  REMEMBER_ME_ATTRIBUTE,
  SAVED_REQUESTS_ATTRIBUTE,
} from '../../security/session-attributes.js';
import { SECURITY_CONTEXT_ATTRIBUTE } from '../../security/session-security-context-repository.js';
import { SESSION_COOKIE_ATTRIBUTE } from '../../session/session-cookie-attribute.js';

const OWN_ATTRIBUTES: ReadonlySet<string> = new Set([
  REMEMBER_ME_ATTRIBUTE,
  SAVED_REQUESTS_ATTRIBUTE,
  SECURITY_CONTEXT_ATTRIBUTE,
  SESSION_COOKIE_ATTRIBUTE,
]);

/** Whether it is one of the library: not listed, so that it is neither sent to clients nor copied to another session. */
export function isOwnAttribute(name: string): boolean {
  return OWN_ATTRIBUTES.has(name);
}
