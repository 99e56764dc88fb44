import { createHash } from 'node:crypto';
import { STABLE_PREFIX_LENGTH } from '../../session/session-id.js';

/**
 * The name of every key of the indexed repository, for one namespace.
 *
 * Sessions are spread over partitions by the part of the id that stays when the id changes. A partition is a small
 * namespace in one Redis Cluster slot: its sessions, their expirations and their events change in one atomic step.
 */
export interface IndexedSessionKeys {
  /** `nest:session:{7}` for each partition. */
  readonly partitions: readonly string[];
  /** `nest:session:{7}:sessions:4fQz81Lwr0Y…` — hash */
  session(id: string): string;
  /** `nest:session:{7}:saves:<save id>` — string, lives until ten seconds after the save would be too late */
  save(sessionId: string, saveId: string): string;
  /** `nest:session:{7}:ended:4fQz81Lwr0Y…` — string: why somebody else ended the session */
  ended(id: string): string;
  /** `nest:session:{7}:sessions:expirations` — sorted set of ids by the moment to look at them, epoch ms */
  expirations(partition: string): string;
  /** `nest:session:{7}:events` — stream */
  events(partition: string): string;
  /** `nest:session:{7}:events:position:<replica>` — string: the last event that a replica has read */
  position(partition: string, replica: string): string;
  /** `nest:session:index:principal:{2bd806c9}alice` — sorted set of entries by expiry, epoch ms */
  index(name: string, value: string): string;
  /** `nest:session:admitted:principal:{2bd806c9}alice` — sorted set of the logins under way, in the slot of the index */
  admitted(name: string, value: string): string;
  partitionOf(id: string): string;
}

/**
 * @param namespace - prefix of all keys, such as `nest:session`
 * @param partitionCount - must be the same for all replicas for ever; 0 = plain keys as Spring's, not for Redis Cluster
 */
export function indexedSessionKeys(namespace: string, partitionCount: number): IndexedSessionKeys {
  const numbers = Array.from({ length: partitionCount }, (_, number) => number);
  const partitions =
    partitionCount === 0 ? [namespace] : numbers.map((number) => `${namespace}:{${number}}`);
  const partitionOf = (id: string) =>
    partitions[hashOf(id.slice(0, STABLE_PREFIX_LENGTH)) % partitions.length] ?? namespace;
  return {
    partitions,
    partitionOf,
    session: (id) => `${partitionOf(id)}:sessions:${id}`,
    save: (id, saveId) => `${partitionOf(id)}:saves:${saveId}`,
    ended: (id) => `${partitionOf(id)}:ended:${id}`,
    expirations: (partition) => `${partition}:sessions:expirations`,
    events: (partition) => `${partition}:events`,
    position: (partition, replica) => `${partition}:events:position:${replica}`,
    index: (name, value) => `${namespace}:index:${name}:${tagOf(value)}${value}`,
    admitted: (name, value) => `${namespace}:admitted:${name}:${tagOf(value)}${value}`,
  };
}

/** A value may hold braces, so the hash tag is not the value itself. */
function tagOf(value: string): string {
  return `{${createHash('sha256').update(value).digest('hex').slice(0, 8)}}`;
}

/** FNV-1a, 32 bits: every replica, and every later version, must come to the same partition. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash;
}
