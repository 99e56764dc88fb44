import { type Redis } from 'ioredis';
import { z } from 'zod';
import { type RedisClient } from './redis-client.js';
import { foreignProperty } from '../../lib/foreign-property.js';
import { type OptionsOf, type ResolvedOptionsOf, positiveOption } from '../../lib/option-group.js';
import { leaveDemotedMaster } from './redis-server.js';
import { SessionOptionError, SessionStoreError } from '../../session/session.errors.js';

/** What `durability` takes. */
export const durabilityOptionGroup = z.strictObject({
  /** How many replicas of Redis must have a login, a logout or a changed id before it is answered. */
  replicas: positiveOption,
  /** Milliseconds after which the request is answered with 503 instead. Must be below `commandTimeoutMs`. */
  timeoutMs: positiveOption.default(1000),
});

/** What `durability` takes. */
export interface DurabilityOptions extends OptionsOf<typeof durabilityOptionGroup> {}

/** {@link DurabilityOptions} with the defaults. */
export type ResolvedDurabilityOptions = ResolvedOptionsOf<typeof durabilityOptionGroup>;

const writesOf = foreignProperty<DurableWrites>('writes that wait for replicas');

/**
 * Sends writes that count only when replicas have them, over a connection of their own: WAIT counts the writes of its
 * connection, and holds up what follows on it.
 */
export class DurableWrites {
  private readonly connection: Redis;
  private connectionNumber = 0;

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
  async confirm<T>(write: (client: Redis) => Promise<T>): Promise<T> {
    const { replicas, timeoutMs } = this.options;
    const result = await write(this.connection);
    const number = this.connectionNumber;
    const count = await this.connection.wait(replicas, timeoutMs);
    if (number !== this.connectionNumber) throw unconfirmed('the connection to Redis broke');
    if (count >= replicas) return result;
    throw unconfirmed(`${count} of ${replicas} replicas had it within ${timeoutMs} ms`);
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
export function writeOver<Scripts, T>(
  client: RedisClient,
  isDurable: boolean,
  write: (client: Scripts) => Promise<T>,
): Promise<T> {
  const send = (connection: RedisClient) => write(connection as unknown as Scripts);
  const durable = isDurable ? writesOf.get(client) : undefined;
  return durable?.confirm(send) ?? send(client);
}

/** Lets durable writes send a script. */
export function defineOnBoth(
  client: RedisClient,
  name: string,
  script: { readonly lua: string; readonly numberOfKeys: number },
): void {
  client.defineCommand(name, script);
  writesOf.get(client)?.client.defineCommand(name, script);
}

function unconfirmed(reason: string): SessionStoreError {
  return SessionStoreError.create('replicate the session', new Error(reason));
}
