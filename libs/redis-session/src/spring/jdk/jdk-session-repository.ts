import { type RedisClient } from '../../redis/client/redis-client.js';
import { type SessionCodec } from '../../session/attributes/codec.js';
import {
  CSRF_SECRET_ATTRIBUTE,
  SECURITY_CONTEXT_ATTRIBUTE,
} from '../../session/attributes/attribute-names.js';
import {
  type SaveOutcome,
  type SessionChange,
  type StoredSession,
} from '../../session/session-change.js';
import { SessionEncodingError, SessionOptionError } from '../../session/session.errors.js';
import { StoredSessionRepository } from '../../session/stored-session-repository.js';
import { csrfSecretOf } from '../spring-attributes.js';
import { type SpringContext } from '../spring-context.js';
import { springSessionKeys } from '../spring-session.keys.js';
import { type SpringRepositoryOptions } from '../spring-session-repository.js';
import { readJavaStream } from './java-stream.js';
import { JdkSessionCommands } from './jdk-session.commands.js';

/**
 * Reads the sessions of a Spring application that writes them by Java serialization, with either of its repositories. It records
 * accesses and ends sessions; it stores nothing else, because Spring answers 500 to bytes that it cannot read.
 */
export class JdkSessionRepository extends StoredSessionRepository {
  private readonly commands: JdkSessionCommands;

  constructor(client: RedisClient, options: SpringRepositoryOptions) {
    super(options);
    const { commandTimeoutMs, namespace, touchIntervalSeconds } = options;
    const touchIntervalMs = (touchIntervalSeconds ?? 0) * 1000;
    const rules = { commandTimeoutMs, touchIntervalMs };
    this.commands = new JdkSessionCommands(client, springSessionKeys(namespace), rules);
  }

  protected override load(id: string, accessTimeMs?: number): Promise<StoredSession | undefined> {
    return this.commands.load(id, this.options.clock(), accessTimeMs);
  }

  protected override delete(id: string): Promise<void> {
    return this.commands.end(id);
  }

  /** The access is recorded when a session is read, and there is nothing else to write. */
  protected override write(change: SessionChange): Promise<SaveOutcome> {
    const { attributes, id, isNew, maxInactiveInterval, storedId } = change;
    const isAccess = attributes.size === 0 && id === storedId && maxInactiveInterval === undefined;
    if (!isNew && isAccess) return Promise.resolve({ kind: 'saved' });
    throw new SessionOptionError(
      'Cannot change a session: springSession({ serialization: "jdk" }) only reads the sessions of Spring, and ends them. Change it in the Spring application, or give that the bean springSessionDefaultRedisSerializer of docs/spring.md.',
    );
  }
}

/** Attributes that Spring has written by Java serialization, each as a latin1 text of its bytes. */
export function jdkCodec(context: SpringContext): SessionCodec {
  return {
    encode(_value, name) {
      throw SessionEncodingError.create(
        name,
        'cannot be stored: springSession({ serialization: "jdk" }) only reads the sessions of Spring, and ends them',
      );
    },

    decode(text, name) {
      const value = () => readJavaStream(Buffer.from(text, 'latin1'));
      if (name === SECURITY_CONTEXT_ATTRIBUTE) return context.read(value);
      return name === CSRF_SECRET_ATTRIBUTE ? csrfSecretOf(value()) : value();
    },
  };
}
