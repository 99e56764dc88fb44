import { type Authentication } from './authentication.js';

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
