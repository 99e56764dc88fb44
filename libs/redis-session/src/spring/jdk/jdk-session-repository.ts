import { type RedisClient } from '../../redis/client/redis-client.js';
import { type SecurityContext } from '../../security/security-context.js';
import { type MapSession } from '../../session/map-session.js';
import { type SessionCodec } from '../../session/attributes/codec.js';
import {
  CSRF_SECRET_ATTRIBUTE,
  REMEMBER_ME_ATTRIBUTE,
  SECURITY_CONTEXT_ATTRIBUTE,
  SESSION_CLIENT_ATTRIBUTE,
  SESSION_COOKIE_ATTRIBUTE,
} from '../../session/attributes/attribute-names.js';
import {
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from '../../session/session-change.js';
import { SessionEncodingError, SessionOptionError } from '../../session/session.errors.js';
import { StoredSessionRepository } from '../../session/stored-session-repository.js';
import { csrfSecretOf, refuseMisuse, type SpringCsrfNames } from '../spring-attributes.js';
import { type SpringContext } from '../spring-context.js';
import { springSessionKeys, type SpringSessionKeys } from '../spring-session.keys.js';
import { toSpringHash } from '../spring-session.mapper.js';
import { SpringUsers } from '../spring-users.js';
import { type SpringRepositoryOptions } from '../spring-session-repository.js';
import { MAX_STREAM_BYTES, readJavaStream } from './java-stream.js';
import { javaCsrfToken, javaValue } from './java-values.js';
import { type WrittenObject, writeJavaStream } from './java-writer.js';
import { JdkSessionCommands, textOfBytes } from './jdk-session.commands.js';

/** What a {@link JdkSessionRepository} is told. */
export interface JdkRepositoryOptions extends SpringRepositoryOptions {
  /** The repository of Spring in which sessions are also written; undefined = they are read and ended, and nothing else. */
  readonly storesLogins: 'default' | 'indexed' | undefined;
}

/**
 * Reads the sessions of a Spring application that writes them by Java serialization, with either of its repositories, records
 * accesses and ends sessions. With `storesLogins` it also writes logins, and attributes that are texts, numbers or booleans;
 * nothing else, because Spring answers 500 to bytes that it cannot read.
 */
export class JdkSessionRepository extends StoredSessionRepository {
  private readonly commands: JdkSessionCommands;
  private readonly keys: SpringSessionKeys;
  private readonly storesLogins: 'default' | 'indexed' | undefined;
  private readonly users: SpringUsers;

  constructor(client: RedisClient, options: JdkRepositoryOptions) {
    super(options);
    const { codec, commandTimeoutMs, namespace, storesLogins, touchIntervalSeconds } = options;
    const touchIntervalMs = (touchIntervalSeconds ?? 0) * 1000;
    const rules = { commandTimeoutMs, isIndexed: storesLogins === 'indexed', touchIntervalMs };
    this.keys = springSessionKeys(namespace);
    this.storesLogins = storesLogins;
    this.users = new SpringUsers(codec);
    this.commands = new JdkSessionCommands(client, this.keys, rules);
  }

  protected override load(id: string, accessTimeMs?: number): Promise<StoredSession | undefined> {
    return this.commands.load(id, this.options.clock(), accessTimeMs);
  }

  protected override delete(id: string): Promise<void> {
    return this.commands.end(id);
  }

  protected override noteOpened(session: MapSession, stored: StoredSession): void {
    this.users.remember(session, stored.attributes);
  }

  /** The access is recorded when a session is read. */
  protected override async write(
    change: SessionChange,
    session?: MapSession,
  ): Promise<SaveOutcome> {
    const { attributes, id, isNew, maxInactiveInterval, storedId } = change;
    const isAccess = attributes.size === 0 && id === storedId && maxInactiveInterval === undefined;
    if (!isNew && isAccess) return { kind: 'saved' };
    if (!this.storesLogins)
      throw new SessionOptionError(
        'Cannot change a session: springSession({ serialization: "jdk" }) only reads the sessions of Spring, and ends them. Set springSession.storesLogins, change it in the Spring application, or give that the bean springSessionDefaultRedisSerializer of docs/spring.md.',
      );
    const outcome = await this.commands.save({
      ...{ storedId, id, hash: toSpringHash(change) },
      earlierIndex: this.indexOf(session && this.users.storedUserOf(session)),
      index: this.indexOf(session && this.users.userOf(session)),
    });
    if (outcome.kind === 'saved' && session) this.users.rememberSaved(session);
    return outcome;
  }

  private indexOf(user: string | undefined): string {
    return user === undefined || this.storesLogins !== 'indexed' ? '' : this.keys.index(user);
  }
}

/** What {@link jdkCodec} is told. */
export interface JdkCodecOptions {
  readonly context: SpringContext;
  readonly csrf: SpringCsrfNames;
  readonly storesLogins: boolean;
}

/** What this library alone writes and reads: Spring gets each as a text of JSON. */
const OWN_MARKS = [REMEMBER_ME_ATTRIBUTE, SESSION_CLIENT_ATTRIBUTE, SESSION_COOKIE_ATTRIBUTE];

/** Attributes as Java serialization has them, each as a text of its bytes. */
export function jdkCodec({ context, csrf, storesLogins }: JdkCodecOptions): SessionCodec {
  const valueOf = (value: unknown, name: string): WrittenObject | string => {
    if (name === SECURITY_CONTEXT_ATTRIBUTE) return context.toJava(value as SecurityContext, name);
    refuseMisuse(value, name);
    if (name === CSRF_SECRET_ATTRIBUTE) {
      const { headerName, parameter: parameterName } = csrf;
      return javaCsrfToken({ headerName, parameterName, token: String(value) });
    }
    if (OWN_MARKS.includes(name)) return JSON.stringify(value);
    const written = javaValue(value);
    if (written !== undefined) return written;
    const reason = 'cannot be stored by Java serialization: it is no text, number or boolean';
    throw SessionEncodingError.create(name, reason, 'Store one of these.');
  };
  return {
    encode(value, name) {
      if (storesLogins) return textOfBytes(streamOf(valueOf(value, name), name));
      throw SessionEncodingError.create(
        name,
        'cannot be stored: springSession({ serialization: "jdk" }) only reads the sessions of Spring, and ends them',
        'Set springSession.storesLogins.',
      );
    },

    decode(text, name) {
      const value = () => readJavaStream(Buffer.from(text, 'latin1'));
      if (name === SECURITY_CONTEXT_ATTRIBUTE) return context.read(value);
      if (OWN_MARKS.includes(name)) return JSON.parse(String(value())) as unknown;
      return name === CSRF_SECRET_ATTRIBUTE ? csrfSecretOf(value()) : value();
    },
  };
}

function streamOf(value: WrittenObject | string, name: string): Buffer {
  const bytes = writeJavaStream(value);
  if (bytes.length <= MAX_STREAM_BYTES) return bytes;
  const reason = `cannot be stored by Java serialization: it takes ${bytes.length} bytes, and ${MAX_STREAM_BYTES} are read at most`;
  throw SessionEncodingError.create(name, reason, 'Store less.');
}
