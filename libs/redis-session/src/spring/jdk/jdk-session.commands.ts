import { randomUUID } from 'node:crypto';
import {
  CONFLICT,
  MISSING,
  missingIfNoHash,
  SAVED,
  refuseWrongType,
  replyToSave,
  type RawReply,
  type ScriptArguments,
  unknownOutcome,
  WriteDeadline,
} from '../../redis/client/script.js';
import { endSpringJdk, loadSpringJdk, saveSpringJdk } from '../../redis/lua/scripts.generated.js';
import { type RedisClient } from '../../redis/client/redis-client.js';
import { type SaveOutcome, type StoredSession } from '../../session/session-change.js';
import { type HashChange, ATTRIBUTE_PREFIX } from '../../redis/sessions/redis-session.mapper.js';
import { ownNameOf } from '../spring-attributes.js';
import { type SpringSessionKeys } from '../spring-session.keys.js';

interface ScriptedClient {
  nestSpringJdkLoadBuffer(...args: ScriptArguments): Promise<RawReply>;
  nestSpringJdkEnd(...args: ScriptArguments): Promise<RawReply>;
  nestSpringJdkSaveBuffer(...args: (string | number | Buffer)[]): Promise<RawReply>;
}

/** One save. The indexes are keys; '' = the session is of no user, or Spring keeps no index. */
export interface SaveJdkInput {
  readonly storedId: string;
  readonly id: string;
  /** Bytes of attributes are texts, see {@link textOfBytes}. */
  readonly hash: HashChange;
  readonly earlierIndex: string;
  readonly index: string;
}

/** What the scripts are told each time. */
export interface JdkCommandOptions {
  readonly commandTimeoutMs: number;
  readonly touchIntervalMs: number;
  /** Whether sessions that are written have a shadow key, a bucket and an index. */
  readonly isIndexed: boolean;
}

/**
 * One character for each byte. A byte of 0 is U+0100, because no text of an attribute holds NUL; `Buffer.from(text, 'latin1')`
 * makes 0 of it again.
 */
export function textOfBytes(bytes: Buffer): string {
  return bytes.toString('latin1').replaceAll('\0', '\u0100');
}

/** Sends the Lua scripts for sessions of Java serialization. The bytes of an attribute are a text, see {@link textOfBytes}. */
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
    client.defineCommand('nestSpringJdkSave', saveSpringJdk);
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
    if (outcome !== 1 || !Array.isArray(fields)) throw unknownOutcome('loadSpringJdk', outcome);
    return {
      creationTime: Number(created),
      lastAccessedTime: Number(accessed),
      maxInactiveInterval: Number(interval),
      attributes: attributesOf(fields as Buffer[]),
    };
  }

  /** @throws SessionStoreError */
  async save(input: SaveJdkInput): Promise<SaveOutcome> {
    const args = this.saveArguments(input);
    const send = (latest: number) =>
      this.scripts.nestSpringJdkSaveBuffer(...args(latest)).then(replyToSave);
    const reply = this.deadline.inTime('save the session', send).catch(missingIfNoHash);
    const [outcome, , ...rest] = await reply;
    if (outcome === SAVED) return { kind: 'saved' };
    if (outcome === MISSING) return { kind: 'missing' };
    if (outcome === CONFLICT) return { kind: 'conflict', current: conflictOf(rest as Buffer[]) };
    throw unknownOutcome('saveSpringJdk', outcome);
  }

  /** @throws SessionStoreError */
  async end(id: string): Promise<void> {
    const { keys } = this;
    const [outcome] = await this.deadline.inTime('end the session', (latest) =>
      this.scripts.nestSpringJdkEnd(keys.session(id), keys.shadow(id), latest, id),
    );
    if (outcome !== 1 && outcome !== 2) throw unknownOutcome('endSpringJdk', outcome);
  }

  private saveArguments(input: SaveJdkInput): (latestMs: number) => (string | number | Buffer)[] {
    const { keys } = this;
    const { storedId, id, hash } = input;
    const storedKey = keys.session(storedId);
    const markKey = hash.updates.length > 0 ? keys.save(randomUUID()) : storedKey;
    return (latestMs) => [
      ...[storedKey, keys.session(id), markKey, keys.shadow(storedId), keys.shadow(id)],
      ...[hash.creationTime, latestMs, hash.lastAccessedTime, hash.maxInactiveInterval],
      ...[this.options.isIndexed ? keys.bucketPrefix : '', storedId, id],
      ...[input.earlierIndex, input.index],
      ...[hash.set.length / 2, hash.remove.length, hash.updates.length / 3],
      ...bytesOf(hash.set, (index) => index % 2 === 1),
      ...hash.remove,
      ...bytesOf(hash.updates, (index) => index % 3 === 2),
    ];
  }
}

/** @param reply - name, '1' or '0', bytes for each */
function conflictOf(reply: readonly Buffer[]): Map<string, string | undefined> {
  const current = new Map<string, string | undefined>();
  for (let i = 0; i < reply.length; i += 3) {
    const name = ownNameOf(String(reply[i]).slice(ATTRIBUTE_PREFIX.length));
    const bytes = String(reply[i + 1]) === '1' ? reply[i + 2] : undefined;
    current.set(name, bytes && textOfBytes(bytes));
  }
  return current;
}

function bytesOf(
  texts: readonly string[],
  isBytes: (index: number) => boolean,
): (string | Buffer)[] {
  return texts.map((text, index) => (isBytes(index) ? Buffer.from(text, 'latin1') : text));
}

/** @param fields - names and values in turn; an attribute without bytes is one that Spring has removed */
function attributesOf(fields: readonly Buffer[]): Map<string, string> {
  const attributes = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [field, bytes] = [String(fields[i]), fields[i + 1]];
    if (!field.startsWith(ATTRIBUTE_PREFIX) || !bytes?.length) continue;
    attributes.set(ownNameOf(field.slice(ATTRIBUTE_PREFIX.length)), textOfBytes(bytes));
  }
  return attributes;
}
