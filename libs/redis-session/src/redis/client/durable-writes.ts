import { type Redis } from 'ioredis';
import { z } from 'zod';
import { type RedisClient } from './redis-client.js';
import { foreignProperty } from '../../lib/foreign-property.js';
import {
  type OptionsOf,
  type ResolvedOptionsOf,
  positiveOption,
  refuseContradictions,
  resolveOptionGroup,
} from '../../lib/option-group.js';
import { leaveDemotedMaster } from './redis-server.js';
import {
  callCommand,
  type LuaScript,
  type RawReply,
  type ScriptArguments,
  sendUntilKnown,
} from './script.js';
import { refused, SessionOptionError, SessionStoreError } from '../../session/session.errors.js';

/** What `durability` takes. */
export const durabilityOptionGroup = z.strictObject({
  /** How many replicas of Redis must have a login, a logout or a changed id before it is answered. */
  replicas: positiveOption,
  /**
   * Milliseconds in which replicas must receive a write. After that the request is answered with 503. Before it is sent, a write
   * waits up to this long for earlier writes. Must be below `commandTimeoutMs`.
   */
  timeoutMs: positiveOption.default(1000),
});

/** What `durability` takes. */
export interface DurabilityOptions extends OptionsOf<typeof durabilityOptionGroup> {}

/** {@link DurabilityOptions} with the defaults. */
export type ResolvedDurabilityOptions = ResolvedOptionsOf<typeof durabilityOptionGroup>;

/** @throws SessionOptionError naming the option */
export function resolveDurabilityOptions(
  options: DurabilityOptions,
  commandTimeoutMs: number,
): ResolvedDurabilityOptions {
  const durability = resolveOptionGroup(durabilityOptionGroup, options, { prefix: 'durability.' });
  const { timeoutMs } = durability;
  refuseContradictions({
    [`durability.timeoutMs must be below commandTimeoutMs (${commandTimeoutMs}), got ${timeoutMs}.`]:
      timeoutMs >= commandTimeoutMs,
  });
  return durability;
}

/** A write, and what becomes of it once its round is over. */
interface WaitingWrite {
  readonly sinceMs: number;
  readonly send: (client: Redis) => Promise<unknown>;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

const writesOf = foreignProperty<DurableWrites>('writes that wait for replicas');

/**
 * Sends writes that count only when replicas have them, over a connection of their own: WAIT counts the writes of its
 * connection, and holds up what follows on it. So what comes during a WAIT waits here for the next round, and shares its
 * WAIT. A write that has waited for too long is never sent: late, a deletion would hit the session of the next login.
 */
export class DurableWrites {
  private readonly connection: Redis;
  private connectionNumber = 0;
  private isBusy = false;
  private waiting: WaitingWrite[] = [];

  /** @throws SessionOptionError on a Redis Cluster */
  constructor(
    client: RedisClient,
    private readonly options: ResolvedDurabilityOptions,
  ) {
    if ('nodes' in client) {
      throw new SessionOptionError(
        'durability must be left out on a Redis Cluster, whose masters would each need a connection of their own. Leave it out, or use one server or Sentinel.',
      );
    }
    this.connection = client.duplicate({
      // A command that is sent again could confirm what another connection has written.
      autoResendUnfulfilledCommands: false,
      enableAutoPipelining: false,
      lazyConnect: true,
      maxRetriesPerRequest: 0,
    });
    this.connection.on('error', () => undefined);
    leaveDemotedMaster(this.connection);
    this.connection.on('close', () => this.connectionNumber++);
    writesOf.set(client, this);
  }

  get client(): Redis {
    return this.connection;
  }

  /**
   * Resolves as `write` does, once enough replicas have what it wrote.
   *
   * @throws SessionStoreError when they do not have it in time; the master may have it nevertheless
   */
  confirm<T>(write: (client: Redis) => Promise<T>): Promise<T> {
    const result = new Promise((resolve, reject) => {
      this.waiting.push({ sinceMs: performance.now(), send: write, resolve, reject });
    });
    if (!this.isBusy) void this.confirmAll();
    return result as Promise<T>;
  }

  private async confirmAll(): Promise<void> {
    this.isBusy = true;
    while (this.waiting.length > 0) await this.confirmTogether(this.waiting.splice(0));
    this.isBusy = false;
  }

  private async confirmTogether(writes: readonly WaitingWrite[]): Promise<void> {
    const number = this.connectionNumber;
    const results = await Promise.allSettled(writes.map((write) => this.send(write)));
    const isAnySent = results.some(({ status }) => status === 'fulfilled');
    const failure = isAnySent ? await this.failureOfWait(number) : undefined;
    writes.forEach(({ resolve, reject }, i) => {
      const result = results[i];
      if (result?.status !== 'fulfilled') reject(result?.reason);
      else if (failure) reject(failure);
      else resolve(result.value);
    });
  }

  private async send({ send, sinceMs }: WaitingWrite): Promise<unknown> {
    const { timeoutMs } = this.options;
    if (performance.now() - sinceMs <= timeoutMs) return send(this.connection);
    throw refused(
      unconfirmed(`nothing was sent: earlier writes waited for replicas for ${timeoutMs} ms`),
    );
  }

  /** @param connectionNumber - of the connection over which the writes went */
  private async failureOfWait(connectionNumber: number): Promise<unknown> {
    const { replicas, timeoutMs } = this.options;
    try {
      const count = await this.connection.wait(replicas, timeoutMs);
      if (connectionNumber !== this.connectionNumber)
        return unconfirmed('the connection to Redis broke');
      if (count >= replicas) return undefined;
      return unconfirmed(`${count} of ${replicas} replicas had it within ${timeoutMs} ms`);
    } catch (error) {
      return error;
    }
  }

  stop(): void {
    this.connection.disconnect();
  }
}

/**
 * Sends `write` over `client`, or over the connection of its {@link DurableWrites} if it has them.
 *
 * @param isDurable - whether replicas must have it; other writes always go over `client`
 */
export function writeOver<T>(
  client: RedisClient,
  isDurable: boolean,
  write: (client: RedisClient) => Promise<T>,
): Promise<T> {
  const durable = isDurable ? writesOf.get(client) : undefined;
  return durable?.confirm(write) ?? write(client);
}

/** Sends a script, also as a durable write. */
export type WriteScript<Reply = RawReply> = (
  isDurable: boolean,
  args: ScriptArguments,
) => Promise<Reply>;

/** Makes `script` a command of `client`, and of the connection of its durable writes. @returns what sends it */
export function writeScriptOf<Reply = RawReply>(
  client: RedisClient,
  name: string,
  script: LuaScript,
): WriteScript<Reply> {
  client.defineCommand(name, script);
  writesOf.get(client)?.client.defineCommand(name, script);
  return (isDurable, args) =>
    writeOver(client, isDurable, (sender) =>
      // Within one write: a deletion that is sent again as another one could be late.
      sendUntilKnown(() => callCommand(sender, name, args) as Promise<Reply>),
    );
}

function unconfirmed(reason: string): SessionStoreError {
  return SessionStoreError.create('replicate the session', new Error(reason));
}
