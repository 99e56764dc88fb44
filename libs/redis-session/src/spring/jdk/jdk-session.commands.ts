import {
  refuseWrongType,
  type RawReply,
  type ScriptArguments,
  unknownOutcome,
  WriteDeadline,
} from '../../redis/client/script.js';
import { endSpringJdk, loadSpringJdk } from '../../redis/lua/scripts.generated.js';
import { ATTRIBUTE_PREFIX } from '../../redis/sessions/hash-text.js';
import { type RedisClient } from '../../redis/client/redis-client.js';
import { type StoredSession } from '../../session/session-change.js';
import { ownNameOf } from '../spring-attributes.js';
import { type SpringSessionKeys } from '../spring-session.keys.js';

interface ScriptedClient {
  nestSpringJdkLoadBuffer(...args: ScriptArguments): Promise<RawReply>;
  nestSpringJdkEnd(...args: ScriptArguments): Promise<RawReply>;
}

/** What the scripts are told each time. */
export interface JdkCommandOptions {
  readonly commandTimeoutMs: number;
  readonly touchIntervalMs: number;
}

/** Sends the Lua scripts for sessions of Java serialization. The bytes of an attribute are a latin1 text. */
export class JdkSessionCommands {
  private readonly scripts: ScriptedClient;
  private readonly deadline: WriteDeadline;

  constructor(
    client: RedisClient,
    private readonly keys: SpringSessionKeys,
    private readonly options: JdkCommandOptions,
  ) {
    client.defineCommand('nestSpringJdkLoad', loadSpringJdk);
    client.defineCommand('nestSpringJdkEnd', endSpringJdk);
    this.scripts = client as unknown as ScriptedClient;
    this.deadline = new WriteDeadline(options.commandTimeoutMs);
  }

  /** @param accessTimeMs - epoch; undefined = this is no access. @throws SessionCorruptError, SessionStoreError */
  async load(id: string, nowMs: number, accessTimeMs?: number): Promise<StoredSession | undefined> {
    const { keys, options } = this;
    const reply = this.deadline.inTime('load the session', (latest) =>
      this.scripts.nestSpringJdkLoadBuffer(
        ...[keys.session(id), keys.shadow(id), nowMs, latest, accessTimeMs ?? ''],
        ...[options.touchIntervalMs, keys.bucketPrefix, id],
      ),
    );
    const [outcome, , created, accessed, interval, fields] = await reply.catch(refuseWrongType);
    if (outcome === 3) return undefined;
    if (outcome !== 1) throw unknownOutcome('loadSpringJdk', outcome);
    return {
      creationTime: Number(created),
      lastAccessedTime: Number(accessed),
      maxInactiveInterval: Number(interval),
      attributes: attributesOf(fields as Buffer[]),
    };
  }

  /** @throws SessionStoreError */
  async end(id: string): Promise<void> {
    const { keys } = this;
    const [outcome] = await this.deadline.inTime('end the session', (latest) =>
      this.scripts.nestSpringJdkEnd(keys.session(id), keys.shadow(id), latest),
    );
    if (outcome !== 1 && outcome !== 2) throw unknownOutcome('endSpringJdk', outcome);
  }
}

/** @param fields - names and values in turn; an attribute without bytes is one that Spring has removed */
function attributesOf(fields: readonly Buffer[]): Map<string, string> {
  const attributes = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [field, bytes] = [String(fields[i]), fields[i + 1]];
    if (!field.startsWith(ATTRIBUTE_PREFIX) || !bytes?.length) continue;
    attributes.set(ownNameOf(field.slice(ATTRIBUTE_PREFIX.length)), bytes.toString('latin1'));
  }
  return attributes;
}
