import { STABLE_PREFIX_LENGTH } from '../../session/session-id.js';

/** The name of every key in Redis, for one namespace. The part in braces is the Redis Cluster hash tag of a session. */
export interface RedisSessionKeys {
  /** `nest:session:sessions:{4fQz81Lw}r0Y…` — hash */
  session(id: string): string;
  /** `nest:session:sessions:` — start of the keys of all sessions */
  readonly sessionPrefix: string;
  /** `nest:session:saves:{4fQz81Lw}<save id>` — string, lives until the save would be too late; in the slot of the session */
  save(sessionId: string, saveId: string): string;
}

/** @param namespace - prefix of all keys, such as `nest:session` */
export function redisSessionKeys(namespace: string): RedisSessionKeys {
  const tag = (id: string) => `{${id.slice(0, STABLE_PREFIX_LENGTH)}}`;
  const sessionPrefix = `${namespace}:sessions:`;
  return {
    sessionPrefix,
    session: (id) => `${sessionPrefix}${tag(id)}${id.slice(STABLE_PREFIX_LENGTH)}`,
    save: (id, saveId) => `${namespace}:saves:${tag(id)}${saveId}`,
  };
}
