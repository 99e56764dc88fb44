import { fork } from 'node:child_process';
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { OnceEventSource } from '../../../libs/redis-session/src/redis/events/once-event-source.js';
import { SortedSetExpirationStore } from '../../../libs/redis-session/src/redis/expiration/sorted-set-expiration-store.js';
import { jsonSessionCodec } from '../../../libs/redis-session/src/session/attributes/codec.js';
import { type SessionEvent } from '../../../libs/redis-session/src/session/session-event.js';
import { eventually } from '../../support/waiting/eventually.js';
import { contextOf, IndexedRepository } from '../../support/redis/indexed-repository.js';
import { startRedis } from '../../support/redis/redis-server.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const WORKER = fileURLToPath(new URL('../../support/faults/dying-worker.mjs', import.meta.url));
const redis = useTestRedis();
const logger = { warn: () => undefined, error: () => undefined };
let namespace: string;
let test: IndexedRepository;

beforeEach(() => {
  namespace = `${redis.namespace}:${randomUUID()}`;
  test = replica();
});

function replica(client = redis.client): IndexedRepository {
  return new IndexedRepository(client, { namespace, eventDelivery: 'once' });
}

function cleanUp({ store }: IndexedRepository): Promise<number> {
  if (store.expiration instanceof SortedSetExpirationStore) return store.expiration.cleanUp();
  throw new Error('Not a sorted set.');
}

/** Handles the events of a replica; `seen` has each time that one was handled. */
function sourceOf({ client, store }: IndexedRepository, handOnAfterMs = 60_000) {
  const seen: SessionEvent[] = [];
  const source = new OnceEventSource({
    ...{ client, codec: jsonSessionCodec, commandTimeoutMs: 2000, keys: store.keys, logger },
    ...{ deletesHandled: true, handOnAfterMs, replicaName: randomUUID() },
    handler: (event) => void seen.push(event),
  });
  return { seen, poll: () => source.poll() };
}

const expiredIds = (seen: readonly SessionEvent[]) =>
  seen.flatMap(({ type, sessionId }) => (type === 'expired' ? [sessionId] : [])).sort();

/** Lets a worker come to `moment`, and kills it there without a warning. */
async function killWorkerAt(moment: 'after-claim' | 'after-delete' | 'in-handler'): Promise<void> {
  const url = process.env['TEST_REDIS_URL'] ?? '';
  const worker = fork(WORKER, [url, namespace, moment, String(test.nowMs)]);
  const ended = once(worker, 'exit').then(() => {
    throw new Error(`The worker ended before it came to ${moment}. Is the library built?`);
  });
  await Promise.race([once(worker, 'message'), ended]);
  ended.catch(() => undefined);
  worker.kill('SIGKILL');
  await once(worker, 'exit');
}

async function openTen(): Promise<string[]> {
  const sessions = Array.from({ length: 10 }, async () => (await test.open('alice')).id);
  return (await Promise.all(sessions)).sort();
}

describe('a worker that is killed', () => {
  it('after its claim hands the sessions on when the lease has ended; each end is reported once', async () => {
    const ids = await openTen();
    test.pass(1800);
    await killWorkerAt('after-claim');
    expect(await cleanUp(test)).toBe(0);
    test.pass(31);
    expect(await cleanUp(test)).toBe(10);
    const { seen, poll } = sourceOf(test);
    await poll();
    expect(expiredIds(seen)).toEqual(ids);
    expect(await test.entryCount('alice')).toBe(0);
  });

  it('after the deletion leaves no end without its event, and nobody finds the sessions', async () => {
    const ids = await openTen();
    test.pass(1800);
    await killWorkerAt('after-delete');
    expect(await test.idsOf('alice')).toEqual([]);
    test.pass(31);
    await cleanUp(test);
    const { seen, poll } = sourceOf(test);
    await poll();
    expect(expiredIds(seen)).toEqual(ids);
  });

  it('while it handles events hands them on', async () => {
    const ids = await openTen();
    test.pass(1800);
    await cleanUp(test);
    await killWorkerAt('in-handler');
    const { seen, poll } = sourceOf(test, 0);
    await poll();
    await poll();
    expect(expiredIds(seen)).toEqual(ids);
  });
});

describe('a Redis with AOF that is killed and started again', () => {
  it('forgets no session, and no end is missed or reported twice', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'aof-'));
    const args = ['--dir', folder, '--appendonly', 'yes', '--appendfsync', 'always'];
    let server = await startRedis({ args });
    const client = new Redis(server.url, { retryStrategy: () => 20 });
    client.on('error', () => undefined);
    try {
      test = replica(client);
      const [before, later] = [await openTen(), await openTen()];
      const kept = await test.open('bob');
      const { seen, poll } = sourceOf(test);
      test.pass(1800);
      kept.touch(test.nowMs);
      await kept.save();

      const working = Promise.allSettled([cleanUp(test), poll(), cleanUp(test), poll()]);
      await eventually(
        async () => (await client.exists(...before.map(test.store.keys.session))) < 10,
      );
      await server.kill('SIGKILL');
      const { port } = server;
      await server.stop();
      server = await startRedis({ args, port });
      await working;

      test.pass(31);
      await eventually(async () => (await cleanUp(test)) === 0);
      // Whatever was handled and not acknowledged before the fall comes again, under the same event id.
      const rest = sourceOf(test, 0);
      await eventually(() => rest.poll().then(() => true));
      const events = new Map([...seen, ...rest.seen].map((event) => [event.eventId, event]));
      expect(expiredIds([...events.values()])).toEqual([...before, ...later].sort());
      expect(await test.idsOf('bob')).toEqual([kept.id]);
      expect(await test.idsOf('alice')).toEqual([]);
    } finally {
      client.disconnect();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});

describe('replicas whose clocks are two seconds apart', () => {
  it('end each session once, at most four seconds early, and none that is in use', async () => {
    const [slow, right, fast] = [replica(), replica(), replica()];
    const passEverywhere = (seconds: number) => {
      for (const one of [slow, right, fast]) one.pass(seconds);
    };
    slow.pass(-2);
    fast.pass(2);
    const sessions = [];
    for (const one of [slow, right, fast]) sessions.push(await one.open('alice'));
    const used = await slow.open('bob');

    passEverywhere(1795);
    for (const one of [fast, right, slow]) expect(await cleanUp(one)).toBe(0);
    await slow.repository.findById(used.id, { accessTimeMs: slow.nowMs });
    passEverywhere(9);
    const ended = await Promise.all([fast, right, slow].map(cleanUp));
    expect(ended.reduce((sum, count) => sum + count)).toBe(3);
    passEverywhere(31);
    await Promise.all([fast, right, slow].map(cleanUp));

    const { seen, poll } = sourceOf(test);
    await poll();
    expect(expiredIds(seen)).toEqual(sessions.map(({ id }) => id).sort());
    expect(await fast.idsOf('bob')).toEqual([used.id]);
  });

  it('do not move the last access back', async () => {
    const [slow, fast] = [replica(), replica()];
    slow.pass(-2);
    fast.pass(2);
    const { id } = await fast.open('alice');
    await slow.repository.findById(id, { accessTimeMs: slow.nowMs });
    expect((await slow.read(id)).lastAccessedTime.getTime()).toBe(fast.nowMs);
  });
});

describe('a new user, a new id and a logout at the same time', () => {
  it('leave the session under its own user alone, or nowhere, in whatever order they start', async () => {
    const other = replica();
    const outcomes = new Set<string>();
    for (const order of permutationsOf(['user', 'id', 'logout', 'find'])) {
      for (const pause of [0, 1, 3]) {
        const { id } = await test.open('alice');
        const [first, second] = [await test.read(id), await other.read(id)];
        first.setAttribute('SECURITY_CONTEXT', contextOf('bob'));
        second.changeSessionId();
        const steps: Record<string, () => Promise<unknown>> = {
          user: () => first.save(),
          id: () => second.save(),
          logout: () => other.repository.deleteById(id),
          find: () => test.repository.findByPrincipalName('alice'),
        };
        const underWay: Promise<unknown>[] = [];
        for (const step of order) {
          underWay.push(steps[step]!());
          for (let turns = 0; turns < pause; turns++) await turn();
        }
        await Promise.allSettled(underWay);
        outcomes.add(await outcomeOf(id, second.id));
      }
    }
    expect([...outcomes].filter((outcome) => outcome.startsWith('wrong'))).toEqual([]);
    expect(outcomes.size).toBeGreaterThan(1);
  });
});

/** What is left of a session, and who is found to have it; then it is removed. */
async function outcomeOf(...ids: string[]): Promise<string> {
  const left = [];
  for (const id of ids) {
    const session = await test.repository.findById(id);
    if (session) left.push(session);
  }
  const found: Record<string, string[]> = {};
  for (const name of ['alice', 'bob']) found[name] = await test.idsOf(name);
  const entries = (await test.entryCount('alice')) + (await test.entryCount('bob'));
  const [session] = left;
  const context = session?.getAttribute<{ authentication: { name: string } }>('SECURITY_CONTEXT');
  const owner = context?.authentication.name ?? '';
  const expected = { alice: [] as string[], bob: [] as string[] };
  if (session && (owner === 'alice' || owner === 'bob')) expected[owner].push(session.id);
  const isRight =
    left.length <= 1 &&
    entries === left.length &&
    JSON.stringify(found) === JSON.stringify(expected);
  await session?.invalidate();
  return isRight ? `${owner} ${ids.indexOf(session?.id ?? '')}` : `wrong: ${JSON.stringify(found)}`;
}

function permutationsOf(items: readonly string[]): string[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item) =>
    permutationsOf(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}
