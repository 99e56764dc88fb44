import { type Authentication } from '../security/authentication.js';

/** What an application knows of a user: the part of an {@link Authentication} that does not depend on the login. */
export type UserAuthentication = Pick<Authentication, 'authorities' | 'name' | 'principal'>;

/** Fields of a user that are never kept. */
const CREDENTIALS =
  /^(?:pass(?:word|wd|phrase|code)?|pwd|salt|pin|secret|credentials?|otp)$|password|hash$|secret$/i;
const NAMES = ['username', 'name', 'email', 'id'];

/** The name that sessions are found by, authorities from `authorities` or `roles`, and the user without credentials. */
export function defaultToAuthentication(user: object): UserAuthentication {
  const kept = Object.entries(user).filter(([key]) => !CREDENTIALS.test(key));
  const principal: Record<string, unknown> = Object.fromEntries(kept);
  const name = NAMES.map((field) => principal[field]).find((value) => value !== undefined);
  if (typeof name !== 'string' && typeof name !== 'number') {
    throw new TypeError(
      `Cannot log in: the user has none of ${NAMES.join(', ')}. Add one, or set the option security.toAuthentication.`,
    );
  }
  const authorities = principal['authorities'] ?? principal['roles'] ?? [];
  return {
    name: String(name),
    principal,
    authorities: Array.isArray(authorities) ? authorities.map(String) : [],
  };
}
