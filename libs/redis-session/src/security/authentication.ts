import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * How sure we are of the user: `full` = has proved it, not too long ago; `aged` = has proved it longer ago than
 * `security.fullAuthenticationSeconds`; `remember-me` = comes from a long-lived session. Sensitive pages ask the last two again.
 */
export type AuthenticationKind = 'full' | 'aged' | 'remember-me';

/**
 * Who the user is and what the user may do. Plain data: it is stored in the session. Mirrors `Authentication` of Spring
 * Security; credentials are no part of it.
 */
export interface Authentication {
  /** The user's unique name: sessions are found by it. */
  readonly name: string;
  /** What `request.user` and `@CurrentUser()` give, or only the id of it (see `loadPrincipal`). */
  readonly principal: unknown;
  /** Such as `ADMIN` or `orders:write`. */
  readonly authorities: readonly string[];
  /** How sure the application can be of the user. */
  readonly kind: AuthenticationKind;
  /** Epoch ms of the login. */
  readonly authenticatedAt: number;
}

/** `authentication` at this moment: its login is `full` for so many seconds alone. */
export function agedAuthentication(
  authentication: Authentication,
  nowMs: number,
  agesAfterSeconds = Infinity,
): Authentication {
  const { authenticatedAt, kind } = authentication;
  if (kind !== 'full' || agesAfterSeconds === Infinity) return authentication;
  const isRecent = nowMs - authenticatedAt < agesAfterSeconds * 1000;
  return isRecent ? authentication : { ...authentication, kind: 'aged' };
}

/**
 * Why a user has to log in (again). Goes into the login page's `?reason=` and into problem details.
 *
 * - `unauthenticated`: nobody is logged in
 * - `insufficient`: the user is remembered or has logged in too long ago, and the page asks for a fresh login
 * - `session-ended`: there was a session, and it has expired or was ended elsewhere
 * - `signed-out`: the session was ended elsewhere, by the user or by who administers; told once
 * - `maximum-sessions`: the session was ended by a newer login of the user, or the login was refused; told once
 * - `bad-credentials`: a login was refused; nobody is told what was wrong with it (OWASP authentication cheat sheet)
 */
export type AuthenticationFailureReason =
  | 'unauthenticated'
  | 'insufficient'
  | 'session-ended'
  | 'signed-out'
  | 'maximum-sessions'
  | 'bad-credentials';

/**
 * Seals what changes with a user's credentials, such as the hash of his password: who reads the session does not learn it.
 *
 * @returns `<salt>.<HMAC-SHA256 of the stamp under the salt>`, both base64url
 * @throws TypeError when there is no stamp: such a session would outlive every change
 */
export function sealCredentialStamp(stamp: unknown, salt = randomBytes(16)): string {
  if (typeof stamp !== 'string') {
    throw new TypeError(
      `security.credentialStamp must return a string, got ${typeof stamp}. Let loadPrincipal load the fields that the stamp uses.`,
    );
  }
  const seal = createHmac('sha256', salt).update(stamp).digest('base64url');
  return `${salt.toString('base64url')}.${seal}`;
}

/** Whether `sealed` was made of `stamp`. @throws TypeError when there is no stamp */
export function isCredentialStamp(stamp: unknown, sealed: string): boolean {
  const salt = Buffer.from(sealed.split('.', 1)[0] ?? '', 'base64url');
  const expected = Buffer.from(sealCredentialStamp(stamp, salt));
  const actual = Buffer.from(sealed);
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}

/** What an application knows of a user: the part of an {@link Authentication} that does not depend on the login. */
export type UserAuthentication = Pick<Authentication, 'authorities' | 'name' | 'principal'>;

/** Their fields are not those of a record. */
const WHOLE = [Date, Map, Set, Uint8Array];
/** Unique ones first: sessions are found, limited and ended by it. */
const NAMES = ['username', 'sub', 'id', 'email', 'name'];

/** The name that sessions are found by, authorities from `authorities` or `roles`, and the user without credentials. */
export function defaultToAuthentication(user: object): UserAuthentication {
  const principal = eraseCredentials(user) as Record<string, unknown>;
  const field = nameFieldOf(principal);
  if (field === undefined) {
    throw new TypeError(
      `Cannot log in: the user has none of ${NAMES.join(', ')}. Add one, or set the option security.toAuthentication.`,
    );
  }
  return { name: String(principal[field]), principal, authorities: authoritiesOf(principal) };
}

/** What a user may do by his `authorities`, or else his `roles`. */
export function authoritiesOf(user: object): readonly string[] {
  const { authorities, roles } = user as Record<string, unknown>;
  const list = authorities ?? roles;
  return Array.isArray(list) ? list.map(String) : [];
}

/** @returns the field that the name of `user` comes from, undefined when he has none */
export function nameFieldOf(user: object): string | undefined {
  return NAMES.find((field) => {
    const value = (user as Record<string, unknown>)[field];
    return (typeof value === 'string' && value !== '') || typeof value === 'number';
  });
}

/** Also of what hangs on the user, as an ORM joins it, and by `toJSON`, as it will be stored. */
function eraseCredentials(value: unknown, outer: readonly unknown[] = []): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (WHOLE.some((type) => value instanceof type)) return value;
  if (outer.includes(value)) return undefined;
  const around = [...outer, value];
  if (Array.isArray(value)) return value.map((item) => eraseCredentials(item, around));
  const { toJSON } = value as { toJSON?: () => unknown };
  if (typeof toJSON === 'function') return eraseCredentials(toJSON.call(value), around);
  const kept = Object.entries(value).filter(([key]) => !isCredentialName(key));
  return Object.fromEntries(kept.map(([key, item]) => [key, eraseCredentials(item, around)]));
}

/** In a name without its separators. */
const ANYWHERE = /password|passwd|passphrase|passcode|pwd|credential/;
const AT_THE_END = /(?:hash(?:es)?|secrets?)$/;
const LAST_WORDS = ['pass', 'salt', 'salts'];
const WHOLE_NAMES = ['otp', 'pin'];

/**
 * Whether a field of a user is called like a credential, in camelCase, snake_case or any other:
 *
 * - `password`, `passwd`, `passphrase`, `passcode`, `pwd` or `credential` anywhere in it
 * - `hash` or `secret`, or their plural, at its end; `secret` as a word of it
 * - `pass` or `salt` as its last word
 * - `otp` or `pin` alone
 *
 * Not so tokens and keys, such as `accessToken` and `apiKey`: applications that call others for the user need them.
 */
export function isCredentialName(name: string): boolean {
  const words = wordsOf(name);
  const joined = words.join('');
  return (
    ANYWHERE.test(joined) ||
    AT_THE_END.test(joined) ||
    words.includes('secret') ||
    LAST_WORDS.includes(words.at(-1) ?? '') ||
    WHOLE_NAMES.includes(joined)
  );
}

/** `['user', 'pass']` of `userPass`, `user_pass` and `USER-PASS`. */
function wordsOf(name: string): string[] {
  const separated = name.replace(/([a-z\d])([A-Z])/g, '$1 $2').toLowerCase();
  return separated.split(/[^a-z\d]+/).filter((word) => word !== '');
}
