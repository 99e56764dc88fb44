import { createHash } from 'node:crypto';
import { toSafeReturnPath } from './safe-return-path.js';

/**
 * What a safe return needs of a request: never cookies, `Authorization` or a body.
 *
 * `{"key":"Xy3_9aQz","method":"GET","url":"/members?tab=2"}`
 *
 * Mirrors `SavedRequest` of Spring Security.
 */
export interface SavedRequest {
  /** Goes through the login page as `?continue=`. The same for the same request: reloading a page takes no place. */
  readonly key: string;
  /** Such as `GET`. */
  readonly method: string;
  /** Path and query; always safe to redirect to. */
  readonly url: string;
}

/** @returns undefined when it would not be safe to go back to `url` */
export function toSavedRequest(method: string, url: string): SavedRequest | undefined {
  const safeUrl = toSafeReturnPath(url);
  if (safeUrl === undefined) return undefined;
  const digest = createHash('sha256').update(`${method} ${safeUrl}`).digest('base64url');
  // 48 bits tell three requests of one visitor apart; the key gives no right, so it need not be secret.
  return { key: digest.slice(0, 8), method, url: safeUrl };
}

/** Puts `request` in front and keeps the newest `maximum`. */
export function withSavedRequest(
  requests: readonly SavedRequest[],
  request: SavedRequest,
  maximum: number,
): SavedRequest[] {
  return [request, ...withoutSavedRequest(requests, request)].slice(0, maximum);
}

/** All but `request`. */
export function withoutSavedRequest(
  requests: readonly SavedRequest[],
  { key }: SavedRequest,
): SavedRequest[] {
  return requests.filter((other) => other.key !== key);
}

/** The one that `key` names, or the newest when there is no key. */
export function pickSavedRequest(
  requests: readonly SavedRequest[],
  key: string | undefined,
): SavedRequest | undefined {
  return key === undefined ? requests[0] : requests.find((request) => request.key === key);
}

/** What can be trusted of a stored list: who could write to the store must not be able to send users elsewhere. */
export function parseSavedRequests(stored: unknown): SavedRequest[] {
  if (!Array.isArray(stored)) return [];
  return stored.flatMap((item: unknown) => {
    if (typeof item !== 'object' || item === null) return [];
    const { method, url } = item as Partial<Record<keyof SavedRequest, unknown>>;
    const isText = typeof method === 'string' && typeof url === 'string';
    return (isText ? toSavedRequest(method, url) : undefined) ?? [];
  });
}
