/** What answers of every HTTP client have. */
interface WithHeaders {
  readonly headers: object;
}

/** The session cookie that a response sets, as a client sends it back. @throws when it sets none, or several */
export function sessionCookieOf(response: WithHeaders): string {
  const pairs = sessionCookieLinesOf(response).map((line) => line.split(';', 1)[0] ?? '');
  const [pair] = pairs;
  if (pair === undefined || pairs.length > 1) {
    throw new Error(`Expected one session cookie, got ${pairs.length}.`);
  }
  return pair;
}

/** The session id that a response sets. */
export function sessionIdOf(response: WithHeaders): string {
  return sessionCookieOf(response).slice('SESSION='.length);
}

/** All `Set-Cookie` lines of the session cookie in a response. */
export function sessionCookieLinesOf(response: WithHeaders): string[] {
  const lines = (response.headers as { 'set-cookie'?: string[] })['set-cookie'] ?? [];
  return lines.filter((line) => line.startsWith('SESSION='));
}
