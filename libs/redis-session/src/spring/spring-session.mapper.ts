import {
  fromConflict,
  fromHash,
  type HashChange,
  toHash,
  ATTRIBUTE_PREFIX,
} from '../redis/sessions/redis-session.mapper.js';
import { type SessionChange, type StoredSession } from '../session/session-change.js';
import { SessionCorruptError, SessionOptionError } from '../session/session.errors.js';
import { ownNameOf, springNameOf } from './spring-attributes.js';

/** What Java serialization begins with, read as UTF-8. */
const JDK_START = '\ufffd\ufffd\u0000\u0005';

/** Spring casts the idle time to an `Integer`. */
export const MAX_JAVA_INT = 2 ** 31 - 1;

/**
 * @param fields - names and values in turn; an attribute without text is one that Spring has removed
 * @returns undefined when there are none
 * @throws SessionCorruptError when a time is missing or no whole number
 */
export function fromSpringHash(fields: readonly string[]): StoredSession | undefined {
  const hash = new Map<string, string>();
  for (let i = 0; i < fields.length; i += 2) {
    const [field = '', text = ''] = [fields[i], fields[i + 1]];
    const isAttribute = field.startsWith(ATTRIBUTE_PREFIX);
    if (isAttribute && text !== '') hash.set(ATTRIBUTE_PREFIX + ownNameOf(nameOf(field)), text);
    if (!isAttribute) hash.set(field, text);
  }
  if (hash.get('creationTime')?.startsWith(JDK_START))
    throw new SessionCorruptError(
      'Cannot read a session: Spring writes it by Java serialization. Give the Spring application the bean springSessionDefaultRedisSerializer of docs/spring.md, or set springSession.serialization to "jdk".',
    );
  return fromHash(hash);
}

/**
 * The fields that `change` writes.
 *
 * @throws SessionOptionError for an idle time that Spring has no number for
 */
export function toSpringHash(change: SessionChange): HashChange {
  return toHash(toSpringChange(change));
}

/**
 * `change` with Spring's names of the attributes.
 *
 * @throws SessionOptionError for an idle time that Spring has no number for
 */
export function toSpringChange(change: SessionChange): SessionChange {
  refuseInterval(change);
  const named = [...change.attributes].map(([name, each]) => [springNameOf(name), each] as const);
  return { ...change, attributes: new Map(named) };
}

function refuseInterval({ maxInactiveInterval = 1 }: SessionChange): void {
  if (maxInactiveInterval <= 0 || maxInactiveInterval > MAX_JAVA_INT)
    throw new SessionOptionError(
      `maxInactiveIntervalSeconds must be from 1 to ${MAX_JAVA_INT} with springSession(), got ${maxInactiveInterval}: Spring deletes sessions that never end, and cannot read a greater number.`,
    );
}

/** The attributes under update as they are stored, by our names. @param reply - name, '1' or '0', text for each */
export function fromSpringConflict(reply: readonly string[]): Map<string, string | undefined> {
  return new Map([...fromConflict(reply)].map(([name, text]) => [ownNameOf(name), text]));
}

/** What Spring's listeners are told of a new session: its fields as a map of Java. Numbers are bare, so that Spring can read them. */
export function createdMessage({
  creationTime,
  lastAccessedTime,
  maxInactiveInterval,
  set,
}: HashChange): string {
  const times = { creationTime, lastAccessedTime, maxInactiveInterval };
  const fields = Object.entries(times).map(([name, text]) => `${JSON.stringify(name)}:${text}`);
  for (let i = 0; i < set.length; i += 2)
    fields.push(`${JSON.stringify(set[i])}:${set[i + 1] ?? 'null'}`);
  return `{"@class":"java.util.HashMap",${fields.join(',')}}`;
}

function nameOf(field: string): string {
  return field.slice(ATTRIBUTE_PREFIX.length);
}
