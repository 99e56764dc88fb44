import {
  CSRF_SECRET_ATTRIBUTE,
  SAVED_REQUESTS_ATTRIBUTE,
  SECURITY_CONTEXT_ATTRIBUTE,
} from '../session/attributes/attribute-names.js';

/** Holds a user's name where Spring Security is not used, and for its index. */
export const PRINCIPAL_NAME_ATTRIBUTE =
  'org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME';

/** Spring sets it to true when a newer login has taken the place of the session. */
export const EXPIRED_ATTRIBUTE =
  'org.springframework.session.security.SpringSessionBackedSessionInformation.EXPIRED';

/** What Spring calls the attributes that both sides understand. */
const SPRING_NAMES: ReadonlyMap<string, string> = new Map([
  [
    CSRF_SECRET_ATTRIBUTE,
    'org.springframework.security.web.csrf.HttpSessionCsrfTokenRepository.CSRF_TOKEN',
  ],
  [SAVED_REQUESTS_ATTRIBUTE, 'SPRING_SECURITY_SAVED_REQUEST'],
  [SECURITY_CONTEXT_ATTRIBUTE, 'SPRING_SECURITY_CONTEXT'],
]);
const OWN_NAMES: ReadonlyMap<string, string> = new Map(
  [...SPRING_NAMES].map(([own, spring]) => [spring, own]),
);

/** What Spring calls the attribute. */
export function springNameOf(name: string): string {
  return SPRING_NAMES.get(name) ?? name;
}

/** What this library calls the attribute. */
export function ownNameOf(springName: string): string {
  return OWN_NAMES.get(springName) ?? springName;
}
