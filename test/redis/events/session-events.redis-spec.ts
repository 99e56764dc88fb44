import { beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { BroadcastEventSource } from '../../../libs/redis-session/src/redis/events/broadcast-event-source.js';
import { OnceEventSource } from '../../../libs/redis-session/src/redis/events/once-event-source.js';
import { type SessionEventSourceInput } from '../../../libs/redis-session/src/redis/events/session-event-source.js';
import { jsonSessionCodec } from '../../../libs/redis-session/src/session/attributes/codec.js';
import { type SessionEvent } from '../../../libs/redis-session/src/session/session-event.js';
import { Barrier } from '../../support/waiting/barrier.js';
import { eventually } from '../../support/waiting/eventually.js';
import { IndexedRepository, signIn } from '../../support/redis/indexed-repository.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();
let namespace: string;
let test: IndexedRepository;

beforeEach(() => {
  namespace = `${redis.namespace}:${randomUUID()}`;
  test = new IndexedRepository(redis.client, { namespace, eventDelivery: 'once' });
});

interface Replica<S> {
  readonly source: S;
  readonly seen: SessionEvent[];
  readonly warnings: string[];
  /** Makes the handler fail. */
  isBroken: boolean;
}

function inputOf(replicaName: string, replica: Omit<Replica<unknown>, 'source'>) {
  const warn = (message: string) => void replica.warnings.push(message);
  return {
    client: redis.client,
    codec: jsonSessionCodec,
    commandTimeoutMs: 2000,
    handler: (event: SessionEvent) => {
      if (replica.isBroken) throw new Error('secret');
      replica.seen.push(event);
    },
    keys: test.store.keys,
    logger: { warn, error: warn },
    replicaName,
  };
}

const ONCE = { handOnAfterMs: 60_000, deletesHandled: true };

function onceReplica(name: string, handOnAfterMs = 60_000): Replica<OnceEventSource> {
  const replica = { seen: [], warnings: [], isBroken: false };
  const input = { ...inputOf(name, replica), handOnAfterMs, deletesHandled: true };
  return Object.assign(replica, { source: new OnceEventSource(input) });
}

function broadcastReplica(name: string): Replica<BroadcastEventSource> {
  const replica = { seen: [], warnings: [], isBroken: false };
  return Object.assign(replica, { source: new BroadcastEventSource(inputOf(name, replica)) });
}

const typesOf = ({ seen }: Replica<unknown>) => seen.map(({ type }) => type);

/** How many events Redis keeps. */
async function storedEvents(): Promise<number> {
  const { keys } = test.store;
  const counts = await Promise.all(keys.partitions.map((p) => redis.client.xlen(keys.events(p))));
  return counts.reduce((sum, count) => sum + count, 0);
}

describe('an event', () => {
  it('tells the life of a session in order', async () => {
    const session = await test.open(undefined, { cart: ['book'] });
    const firstId = session.id;
    signIn(session, 'alice');
    await session.save();
    await session.invalidate();

    const replica = onceReplica('a');
    await replica.source.poll();
    const [created, changed, deleted] = replica.seen;
    expect(typesOf(replica)).toEqual(['created', 'id-changed', 'deleted']);
    expect(created).toMatchObject({ sessionId: firstId, principalName: undefined });
    expect(changed).toMatchObject({
      sessionId: session.id,
      previousSessionId: firstId,
      principalName: 'alice',
    });
    expect(deleted).toMatchObject({ sessionId: session.id, principalName: 'alice' });
    expect(deleted?.attributes.get('cart')).toEqual(['book']);
    expect(deleted?.previousSessionId).toBeUndefined();
  });

  it('carries only the attributes that the option names', async () => {
    const options = { namespace, eventDelivery: 'once', eventAttributes: ['cart'] } as const;
    const chosen = new IndexedRepository(redis.client, options);
    const session = await chosen.open('alice', { cart: ['book'], secret: 'x' });
    await session.invalidate();
    const replica = onceReplica('a');
    await replica.source.poll();
    expect(replica.seen.map(({ attributes }) => [...attributes])).toEqual([
      [['cart', ['book']]],
      [['cart', ['book']]],
    ]);
    expect(replica.seen[1]?.principalName).toBe('alice');
  });

  it('tells why somebody else ended the session, and its client is told once', async () => {
    const { id } = await test.open('alice');
    await test.repository.endById(id, 'signed-out');
    const replica = onceReplica('a');
    await replica.source.poll();
    expect(replica.seen.at(-1)).toMatchObject({ type: 'deleted', reason: 'signed-out' });
    expect(await test.repository.takeEndReason(id)).toBe('signed-out');
    expect(await test.repository.takeEndReason(id)).toBeUndefined();
  });

  it('is not recorded when nobody wants it', async () => {
    const none = new IndexedRepository(redis.client, { namespace });
    await (await none.open('alice')).invalidate();
    expect(await storedEvents()).toBe(0);
  });
});

describe("delivery 'once'", () => {
  it('gives each event to one replica, and keeps nothing of it', async () => {
    const replicas = [onceReplica('a'), onceReplica('b'), onceReplica('c')];
    for (let i = 0; i < 100; i++) await test.open('alice');
    await Promise.all(replicas.map(({ source }) => source.poll()));
    const ids = replicas.flatMap(({ seen }) => seen.map(({ eventId }) => eventId));
    expect(ids).toHaveLength(100);
    expect(new Set(ids).size).toBe(100);
    expect(await storedEvents()).toBe(0);
  });

  it('gives an event again, under the same id, to who takes over from a replica that failed', async () => {
    await test.open('alice');
    const broken = onceReplica('a');
    broken.isBroken = true;
    await broken.source.poll();
    expect(broken.warnings).toEqual([
      'Cannot handle a session event of type created: a handler has failed (Error). It will be delivered again.',
    ]);
    expect(await storedEvents()).toBe(1);

    const patient = onceReplica('b');
    await patient.source.poll();
    expect(patient.seen).toEqual([]);
    const eager = onceReplica('c', 0);
    await eager.source.poll();
    expect(typesOf(eager)).toEqual(['created']);
    expect(await storedEvents()).toBe(0);
  });

  it('gives up an event that was delivered five times in vain, says so, and goes on with others', async () => {
    const { id } = await test.open('poison');
    const broken = onceReplica('a', 0);
    broken.isBroken = true;
    for (let attempt = 1; attempt <= 5; attempt++) await broken.source.poll();
    expect(broken.warnings).toHaveLength(5);
    expect(await storedEvents()).toBe(1);

    broken.isBroken = false;
    await test.open('alice');
    await broken.source.poll();
    expect(broken.seen.map(({ principalName }) => principalName)).toEqual(['alice']);
    const [last = ''] = broken.warnings.slice(-1);
    expect(last).toMatch(
      /^Cannot handle the session event \d+-\d+-\d+: it was not handled within 5 deliveries\. It is dropped; check the handlers\.$/,
    );
    expect(last).not.toContain(id);
    expect(await storedEvents()).toBe(0);
  });

  it('gives other events to a handler that hangs with one', async () => {
    const replica = onceReplica('a');
    const input = {
      ...inputOf('b', replica),
      ...{ handOnAfterMs: 60_000, deletesHandled: true, handlerTimeoutMs: 20 },
    };
    const handler = (event: SessionEvent) =>
      event.principalName === 'poison' ? new Promise<void>(() => undefined) : input.handler(event);
    const source = new OnceEventSource({ ...input, handler });
    await test.open('poison');
    await test.open('alice');
    await source.poll();
    expect(replica.seen.map(({ principalName }) => principalName)).toEqual(['alice']);
    expect(replica.warnings.join()).toContain('not done within 20 ms');
    expect(await storedEvents()).toBe(1);
  });

  it('gives a later event of the same session to its handler before it is dropped', async () => {
    const replica = onceReplica('a');
    const input = {
      ...inputOf('b', replica),
      ...{ handOnAfterMs: 20, deletesHandled: true, handlerTimeoutMs: 40 },
    };
    const handler = (event: SessionEvent) =>
      event.type === 'created' ? new Promise<void>(() => undefined) : input.handler(event);
    const source = new OnceEventSource({ ...input, handler });
    await (await test.open('alice')).invalidate();
    await eventually(async () => {
      await source.poll();
      return (await storedEvents()) === 0;
    });
    expect(typesOf(replica)).toEqual(['deleted']);
  });

  it('delivers what happened while no replica was running', async () => {
    const before = onceReplica('a');
    await before.source.poll();
    await test.open('alice');
    const after = onceReplica('b');
    await after.source.poll();
    expect(typesOf(after)).toEqual(['created']);
  });

  it('goes on when the streams were lost', async () => {
    const replica = onceReplica('a');
    await replica.source.poll();
    await redis.client.del(...(await redis.client.keys(`${namespace}:*`)));
    await expect(replica.source.poll()).rejects.toThrow('NOGROUP');
    await test.open('alice');
    await replica.source.poll();
    expect(typesOf(replica)).toEqual(['created']);
  });
});

describe("delivery 'broadcast'", () => {
  it('gives each event to every replica', async () => {
    const replicas = [broadcastReplica('a'), broadcastReplica('b')];
    await Promise.all(replicas.map(({ source }) => source.poll()));
    for (let i = 0; i < 100; i++) await test.open('alice');
    await Promise.all(replicas.map(({ source }) => source.poll()));
    for (const { seen } of replicas)
      expect(new Set(seen.map(({ eventId }) => eventId)).size).toBe(100);
  });

  it('begins with what comes, and goes on where it was after a restart', async () => {
    await test.open('alice');
    const first = broadcastReplica('a');
    await first.source.poll();
    expect(first.seen).toEqual([]);
    await test.open('bob');
    const restarted = broadcastReplica('a');
    await restarted.source.poll();
    expect(restarted.seen.map(({ principalName }) => principalName)).toEqual(['bob']);
    await restarted.source.poll();
    expect(restarted.seen).toHaveLength(1);
  });

  it('goes on after a handler that failed', async () => {
    const replica = broadcastReplica('a');
    await replica.source.poll();
    await test.open('alice');
    replica.isBroken = true;
    await replica.source.poll();
    replica.isBroken = false;
    await test.open('bob');
    await replica.source.poll();
    expect(replica.seen.map(({ principalName }) => principalName)).toEqual(['bob']);
    expect(replica.warnings).toEqual([
      'Cannot handle a session event of type created: a handler has failed (Error). Other replicas are not affected.',
    ]);
  });
});

describe.each([
  ['once', (input: SessionEventSourceInput) => new OnceEventSource({ ...input, ...ONCE })],
  ['broadcast', (input: SessionEventSourceInput) => new BroadcastEventSource(input)],
] as const)("while a handler hangs, delivery '%s'", (_, createSource) => {
  it('goes on with other sessions, keeps the order of its own, and waits for it when it stops', async () => {
    const options = { namespace, eventDelivery: 'once', partitions: 1 } as const;
    test = new IndexedRepository(redis.client, options);
    const seen: string[] = [];
    const barrier = new Barrier();
    const handler = async ({ type, principalName }: SessionEvent) => {
      if (principalName === 'slow' && type === 'created') await barrier.pass();
      seen.push(`${type} ${principalName}`);
    };
    const source = createSource({ ...inputOf('a', onceReplica('a')), handler });
    await source.start();
    const slow = await test.open('slow');
    await barrier.reachedBy(1);
    await slow.invalidate();
    const names = Array.from({ length: 120 }, (__, i) => `user-${i}`);
    for (const name of names) await test.open(name);
    await eventually(() => Promise.resolve(seen.length === names.length));
    expect(seen.sort()).toEqual(names.map((name) => `created ${name}`).sort());

    const stopped = source.stop();
    barrier.open();
    await stopped;
    expect(seen.slice(names.length)).toEqual(['created slow', 'deleted slow']);
  });
});

it('a replica without room looks for no events that others have not handled', async () => {
  test = new IndexedRepository(redis.client, { namespace, eventDelivery: 'once', partitions: 1 });
  const client = redis.client.duplicate();
  const barrier = new Barrier();
  const handler = () => barrier.pass();
  const input = { ...inputOf('a', onceReplica('a')), client, handler };
  const source = new OnceEventSource({ ...input, ...ONCE, handOnAfterMs: 0 });
  const looks: number[] = [];
  const scripted = client as unknown as { nestEventsTakeOver(...args: unknown[]): unknown };
  const takeOver = scripted.nestEventsTakeOver.bind(client);
  scripted.nestEventsTakeOver = (...args) => {
    looks.push(args.length);
    return takeOver(...args);
  };
  try {
    for (let i = 0; i < 50; i++) await test.open(`user-${i}`);
    const polls = [source.poll()];
    await barrier.reachedBy(50);
    polls.push(source.poll());
    await setImmediate();
    barrier.open();
    await Promise.all(polls);
    expect(looks).toHaveLength(1);
  } finally {
    barrier.open();
    await source.stop();
    client.disconnect();
  }
});

describe('a replica that stops', () => {
  const consumers = async () => {
    const { keys } = test.store;
    const infos = await Promise.all(
      keys.partitions.map((p) => redis.client.xinfo('CONSUMERS', keys.events(p), 'handlers')),
    );
    return (infos as unknown[][][]).flat().map(([, name]) => name);
  };

  it('leaves its name to the group only where it has not finished an event', async () => {
    const [idle, broken] = [onceReplica('idle'), onceReplica('broken')];
    await test.open('alice');
    await idle.source.poll();
    expect(new Set(await consumers())).toEqual(new Set(['idle']));
    broken.isBroken = true;
    await test.open('bob');
    await broken.source.poll();
    await idle.source.stop();
    await broken.source.stop();
    expect(await consumers()).toEqual(['broken']);
    const heir = onceReplica('heir', 0);
    await heir.source.poll();
    expect(heir.seen.map(({ principalName }) => principalName)).toEqual(['bob']);
  });
});

describe('the number of events', () => {
  it('is bounded', async () => {
    const options = { namespace, eventDelivery: 'once', partitions: 1, maxEvents: 100 } as const;
    const bounded = new IndexedRepository(redis.client, options);
    for (let i = 0; i < 400; i++) await bounded.open();
    const [partition = ''] = bounded.store.keys.partitions;
    const count = await redis.client.xlen(bounded.store.keys.events(partition));
    expect(count).toBeGreaterThanOrEqual(100);
    expect(count).toBeLessThan(300);
  });
});
