/** Holds the authenticated user, see `SecurityContext`. */
export const SECURITY_CONTEXT_ATTRIBUTE = 'SECURITY_CONTEXT';

/** Holds the secret from which the CSRF tokens of the session are made. */
export const CSRF_SECRET_ATTRIBUTE = 'CSRF_SECRET';

/** Marks a session as a long-lived one. */
export const REMEMBER_ME_ATTRIBUTE = 'REMEMBER_ME';

/** Holds the requests to go back to after a login. */
export const SAVED_REQUESTS_ATTRIBUTE = 'SAVED_REQUESTS';

/** Holds the address and user agent from which the user logged in. */
export const SESSION_CLIENT_ATTRIBUTE = 'SESSION_CLIENT';

/** Holds the settings of the cookie of this session: `{"maxAgeSeconds":3600,"secure":true}`; a null age ends with the client. */
export const SESSION_COOKIE_ATTRIBUTE = 'SESSION_COOKIE';

/** Holds the encrypted key of the session's encrypted attributes, see the option `encryption`. Only stores see it. */
export const DATA_KEY_ATTRIBUTE = 'DATA_KEY';

const OWN_ATTRIBUTES: ReadonlySet<string> = new Set([
  CSRF_SECRET_ATTRIBUTE,
  DATA_KEY_ATTRIBUTE,
  REMEMBER_ME_ATTRIBUTE,
  SAVED_REQUESTS_ATTRIBUTE,
  SECURITY_CONTEXT_ATTRIBUTE,
  SESSION_CLIENT_ATTRIBUTE,
  SESSION_COOKIE_ATTRIBUTE,
]);

/** Whether the library itself stores this attribute. `req.session` never lists, sends or copies such attributes. */
export function isOwnAttribute(name: string): boolean {
  return OWN_ATTRIBUTES.has(name);
}
