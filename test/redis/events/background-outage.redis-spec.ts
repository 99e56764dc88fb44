import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { BackgroundLoop } from '../../../libs/redis-session/src/lib/background-loop.js';
import { BroadcastEventSource } from '../../../libs/redis-session/src/redis/events/broadcast-event-source.js';
import { withDeadline } from '../../../libs/redis-session/src/lib/store-operation.js';
import { OnceEventSource } from '../../../libs/redis-session/src/redis/events/once-event-source.js';
import {
  createRedisClient,
  type RedisClient,
} from '../../../libs/redis-session/src/redis/client/redis-client.js';
import { type SessionEventSource } from '../../../libs/redis-session/src/session/session-event.js';
import { jsonSessionCodec } from '../../../libs/redis-session/src/session/attributes/codec.js';
import { type RedisServer } from '../../../tools/servers/redis-server.mjs';
import { Barrier } from '../../support/waiting/barrier.js';
import { eventually } from '../../support/waiting/eventually.js';
import { IndexedRepository } from '../../support/redis/indexed-repository.js';
import { startRedis } from '../../support/redis/redis-server.js';

const TIMEOUT_MS = 2000;
const MANY_SESSIONS = 60;

let server: RedisServer;
let client: RedisClient;
let warnings: string[];
const warn = (message: string) => void warnings.push(message);
const logger = { warn, error: warn };

beforeEach(async () => {
  warnings = [];
  server = await startRedis();
  client = createRedisClient(server.url, TIMEOUT_MS).client;
  await client.connect();
});

afterEach(async () => {
  client.disconnect();
  await server.stop();
});

async function stopRedis(): Promise<void> {
  await server.stop();
  await eventually(() => Promise.resolve(client.status !== 'ready'));
}

describe('BackgroundLoop', () => {
  let begunTurns: number;
  let loop: BackgroundLoop;

  /** As many turns from now on have ended. */
  async function turns(count: number): Promise<void> {
    const last = begunTurns + count;
    await eventually(() => Promise.resolve(begunTurns > last));
  }

  beforeEach(() => {
    begunTurns = 0;
    loop = new BackgroundLoop({
      action: 'greet Redis',
      logger,
      pauseMs: () => 1,
      turn: async () => {
        begunTurns++;
        await withDeadline('ping', TIMEOUT_MS, client.ping());
      },
    });
    loop.start();
  });

  afterEach(() => loop.stop());

  it('warns of a failure when it begins, adds one line when it has ended, and warns of the next one', async () => {
    await turns(2);
    expect(warnings).toEqual([]);
    await stopRedis();
    await turns(10);
    const first = [...warnings];
    expect(first.at(-1)).toContain('Cannot greet Redis: Cannot ping: the session store failed (');

    server = await startRedis({ port: server.port });
    const endings = () => warnings.filter((line) => line.startsWith('Background work goes on. '));
    const begun = () => warnings.filter((line) => line.startsWith('Cannot '));
    await eventually(() => Promise.resolve(endings().length === begun().length), 15_000);
    for (const line of begun()) expect(endings().join()).toContain(`(${line}).`);
    expect(warnings).toEqual([...new Set(warnings)]);
    const last = first.at(-1) ?? '';
    expect(
      Number(
        endings()
          .find((line) => line.includes(last))
          ?.match(/: (\d+) \(/)?.[1],
      ),
    ).toBeGreaterThan(1);

    warnings = [];
    await stopRedis();
    await turns(10);
    expect(warnings).toContain(last);
    expect(warnings).toEqual([...new Set(warnings)]);
  });

  it('warns of another failure, even when none of its turns worked in between', async () => {
    await client.call('ACL', 'SETUSER', 'default', '-ping');
    await turns(10);
    expect(warnings).toEqual([expect.stringContaining('NOPERM')]);
    await stopRedis();
    await turns(10);
    expect(warnings.at(-1)).toContain("Stream isn't writeable");
    expect(warnings).toEqual([...new Set(warnings)]);
  });
});

const KINDS = [
  ['once', 'acknowledge events'],
  ['broadcast', 'note the last event'],
] as const;

describe.each(KINDS)("with events of delivery '%s', when Redis is gone", (kind, afterHandling) => {
  let barrier: Barrier;
  let looks: number;
  let source: SessionEventSource;
  let test: IndexedRepository;

  beforeEach(async () => {
    barrier = new Barrier();
    looks = 0;
    const clock = () => {
      looks++;
      return Date.now();
    };
    test = new IndexedRepository(client, {
      ...{ clock, eventDelivery: kind, logger, namespace: 'test' },
    });
    const { keys } = test.store;
    const input = {
      ...{ client, codec: jsonSessionCodec, commandTimeoutMs: TIMEOUT_MS, keys, logger },
      ...{ deletesHandled: true, handOnAfterMs: 60_000, replicaName: 'a' },
      handler: () => barrier.pass(),
    };
    source = kind === 'once' ? new OnceEventSource(input) : new BroadcastEventSource(input);
    await source.start();
  });

  afterEach(async () => {
    barrier.open();
    await test.store.expiration.stop();
    await source.stop();
  });

  it('warns once of each failure of the worker and of the events', async () => {
    await test.store.expiration.start();
    await stopRedis();
    const enough = looks + 4;
    await eventually(() => Promise.resolve(looks >= enough));
    expect(warnings.join('\n')).toContain('Cannot end expired sessions: ');
    expect(warnings.join('\n')).toContain('Cannot handle the events of sessions: ');
    expect(warnings).toEqual([...new Set(warnings)]);
  });

  it('warns once, and not for each partition, of what cannot be done after handling', async () => {
    for (let i = 0; i < MANY_SESSIONS; i++) await test.open();
    await barrier.reachedBy(MANY_SESSIONS / 2);
    await stopRedis();
    barrier.open();
    await source.stop();
    const told = warnings.filter((warning) => warning.startsWith(`Cannot ${afterHandling}`));
    expect(told).toHaveLength(1);
  });
});
