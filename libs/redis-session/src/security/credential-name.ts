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
