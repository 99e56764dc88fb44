import secureJson from 'secure-json-parse';
import { signConnectId, verifyConnectId } from '../http/session-id/cookie-signature.js';
import { isOwnAttribute } from '../session/attributes/attribute-names.js';

/** A session as connect-redis writes it: `{"cookie":{"originalMaxAge":null,…},"passport":{"user":1},…}`. */
export interface SessionBlob {
  /** `originalMaxAge` is milliseconds, null = until the browser is closed. */
  readonly cookie: Readonly<Record<string, unknown>>;
  readonly attributes: ReadonlyMap<string, unknown>;
}

/** Ids of the other library, whose signature has vouched for them already; `genid` makes them of anything. */
export const FORMER_ID_PATTERN = /^\P{Cc}{1,1024}$/u;

/** Why a value is no session; for reports. */
export type BlobProblem = 'not JSON' | 'no object' | 'no cookie';

/** @returns the session, or what is wrong with `text` */
export function parseBlob(text: string): SessionBlob | BlobProblem {
  let value: unknown;
  try {
    value = secureJson.parse(text, null, { protoAction: 'remove', constructorAction: 'remove' });
  } catch {
    return 'not JSON';
  }
  if (!isRecord(value)) return 'no object';
  const { cookie, ...attributes } = value;
  return isRecord(cookie)
    ? { cookie, attributes: new Map(Object.entries(attributes)) }
    : 'no cookie';
}

/** Reverses {@link parseBlob}. */
export function stringifyBlob({ cookie, attributes }: SessionBlob): string {
  return JSON.stringify({ cookie, ...Object.fromEntries(attributes) });
}

/** @returns whole seconds that the browser keeps the cookie, at most `maxAgeSeconds`; null = until it is closed */
export function lifetimeOf(
  { cookie }: SessionBlob,
  { maxAgeSeconds }: { readonly maxAgeSeconds: number },
): number | null {
  const { originalMaxAge } = cookie;
  if (typeof originalMaxAge !== 'number') return null;
  return Math.min(Math.ceil(originalMaxAge / 1000), maxAgeSeconds);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * What stays under the key of a session that was moved to another layout, where to find it now: JSON that other libraries
 * take for "no session". It is the number zero; the digits of its exponent are the bytes of the new id.
 *
 * @returns `0e<digits>`
 */
export function movedMark(sessionId: string): string {
  return `0e${BigInt(`0x${Buffer.from(sessionId).toString('hex')}`)}`;
}

/** Reverses {@link movedMark}. @returns undefined when `text` is no such mark */
export function movedTo(text: string): string | undefined {
  if (!/^0e[1-9]\d*$/.test(text)) return undefined;
  const hex = BigInt(text.slice(2)).toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString();
}

const SEALED = 'sealed:';

/**
 * Signs the attributes of the library, the login among them, and binds them to the session `id`. The other library may let
 * clients name attributes; what it writes under these names must not count.
 *
 * @param secrets - the first signs
 */
export function sealOwnAttributes(
  blob: SessionBlob,
  id: string,
  [secret = '']: readonly string[],
): SessionBlob {
  return withOwnAttributes(blob, (name, value) =>
    signConnectId(JSON.stringify([id, name, value]), secret, SEALED),
  );
}

/** Reverses {@link sealOwnAttributes}. What none of `secrets` has signed for this session is left out. */
export function openOwnAttributes(
  blob: SessionBlob,
  id: string,
  secrets: readonly string[],
): SessionBlob {
  return withOwnAttributes(blob, (name, sealed) => {
    const text = typeof sealed === 'string' ? verifyConnectId(sealed, secrets, SEALED) : undefined;
    const [sealedId, sealedName, value] = JSON.parse(text ?? '[]') as unknown[];
    return sealedId === id && sealedName === name ? value : undefined;
  });
}

function withOwnAttributes(
  { cookie, attributes }: SessionBlob,
  replace: (name: string, value: unknown) => unknown,
): SessionBlob {
  const replaced = [...attributes].map(([name, value]): [string, unknown] => [
    name,
    isOwnAttribute(name) ? replace(name, value) : value,
  ]);
  return { cookie, attributes: new Map(replaced.filter(([, value]) => value !== undefined)) };
}
