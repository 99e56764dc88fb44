import { type Response } from 'supertest';

/** The session cookie that a response sets, as a client sends it back. @throws when it sets none, or several */
export function sessionCookieOf(response: Response): string {
  const pairs = sessionCookieLinesOf(response).map((line) => line.split(';', 1)[0] ?? '');
  const [pair] = pairs;
  if (pair === undefined || pairs.length > 1) {
    throw new Error(`Expected one session cookie, got ${pairs.length}.`);
  }
  return pair;
}

/** The session id that a response sets. */
export function sessionIdOf(response: Response): string {
  return sessionCookieOf(response).slice('SESSION='.length);
}

/** All `Set-Cookie` lines of the session cookie in a response. */
export function sessionCookieLinesOf(response: Response): string[] {
  const lines = (response.headers['set-cookie'] ?? []) as string[];
  return lines.filter((line) => line.startsWith('SESSION='));
}
