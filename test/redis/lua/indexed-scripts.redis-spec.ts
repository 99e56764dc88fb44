import { beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  addToIndex,
  admitToIndex,
  claimDue,
  createIndexed,
  deleteIndexed,
  dropConsumers,
  endSession,
  loadIndexed,
  pageOfIndex,
  saveIndexed,
} from '../../../libs/redis-session/src/redis/lua/scripts.generated.js';
import { HashText } from '../../../libs/redis-session/src/redis/sessions/hash-fields.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();
const startMs = Date.now();
let prefix: string;

beforeEach(() => {
  prefix = `${redis.namespace}:${randomUUID()}`;
});

type Script = { readonly numberOfKeys: number; readonly lua: string };

const run = (script: Script, ...args: (string | number)[]) =>
  redis.client.eval(script.lua, script.numberOfKeys, ...args) as Promise<unknown[]>;

const hashOf = (id: string) => `${prefix}:sessions:${id}`;
const later = () => Date.now() + 60_000;

interface Save {
  storedId?: string;
  id?: string;
  latest?: number;
  set?: string[];
  updates?: string[];
  index?: string[];
  knownVersion?: string;
}

interface Load {
  latest?: number;
  knownVersion?: string;
  leastVersioned?: number | '';
}

function save({
  storedId = 'a',
  id = 'a',
  latest = later(),
  set = [],
  updates = [],
  index = [],
  knownVersion = '',
}: Save) {
  return run(
    saveIndexed,
    ...[hashOf(storedId), hashOf(id), `${prefix}:mark`],
    ...[`${prefix}:expirations`, `${prefix}:events`, `${prefix}:ended:${id}`],
    ...[latest, startMs, '', -1, 1000],
    ...[storedId.length, id.length, '1', 100, knownVersion],
    ...[set.length / 2, 0, updates.length / 3, index.length / 2, -1],
    ...[...set, ...updates, ...index],
  );
}

interface Create {
  latest?: number;
  expiry?: number | '';
  set?: string[];
  eventFields?: number;
}

function create({
  latest = later(),
  expiry = startMs + 1_800_000,
  set = [],
  eventFields = 3 + set.length / 2,
}: Create = {}) {
  return run(
    createIndexed,
    ...[hashOf('a'), `${prefix}:expirations`, `${prefix}:events`, `${prefix}:ended:a`],
    ...[latest, 'a', expiry, expiry === '' ? '' : expiry + 1000, '1', 100, eventFields],
    ...['creationTime', startMs, 'lastAccessedTime', startMs],
    ...['maxInactiveInterval', expiry === '' ? -1 : 1800, ...set],
  );
}

function end(kind: 'deleted' | 'expired', { latest = later(), nowMs = startMs, reason = '' } = {}) {
  return run(
    endSession,
    ...[hashOf('a'), `${prefix}:expirations`, `${prefix}:events`, `${prefix}:ended:a`],
    ...[latest, 'a', kind, nowMs, -1, reason, 60_000, '0', 100, -1],
  );
}

/** All keys of the test as Redis dumps them, with the moments at which they end. */
async function everything(): Promise<unknown> {
  const keys = (await redis.client.keys(`${prefix}:*`)).sort();
  return Promise.all(
    keys.map(async (key) => [
      key,
      await redis.client.dumpBuffer(key),
      await redis.client.pexpiretime(key),
    ]),
  );
}

async function inVain(action: () => Promise<unknown[]>): Promise<unknown[]> {
  const before = await everything();
  const reply = await action();
  expect(await everything()).toEqual(before);
  return reply;
}

const now = expect.any(Number);

describe('saveIndexed', () => {
  it('answers 1 with the earlier texts of the index fields', async () => {
    await create({ set: ['index:p', 'abcdef:kim'] });
    expect(await save({ index: ['index:p', '*', 'index:q', '*'] })).toEqual([
      ...[1, now, '', 'abcdef:kim', ''],
    ]);
    expect(await redis.client.pexpiretime(hashOf('a'))).toBe(startMs + 1_801_000);
    expect(await redis.client.zscore(`${prefix}:expirations`, 'a')).toBe(`${startMs + 1_800_000}`);
  });

  it('gives a hash that has a version the next one, and tells it to who knows the earlier one', async () => {
    const version = () => redis.client.hget(hashOf('a'), 'version');
    await create();
    expect(await version()).toBeNull();
    await redis.client.hset(hashOf('a'), 'version', '7');
    expect(await save({ knownVersion: '6' })).toEqual([1, now, '']);
    expect(await save({ knownVersion: '7' })).toEqual([1, now, '7']);
    expect(await save({ set: ['x', '1'], knownVersion: '7' })).toEqual([1, now, await version()]);
    const earlier = await version();
    expect(earlier).toMatch(/^[\da-f]{16}$/);
    await create({ set: ['x', '1'] });
    expect(await version()).not.toBe(earlier);
  });

  it('leaves the version alone when it is refused', async () => {
    await create({ set: ['x', '1', 'version', '7'] });
    await inVain(() => save({ updates: ['x', '1', '0'] }));
    await inVain(() => save({ index: ['index:p', 'other'] }));
  });

  it('adds one event for a changed id, also when it is sent again', async () => {
    await create();
    for (let i = 0; i < 2; i++) await save({ id: 'b' });
    const entries = await redis.client.xrange(`${prefix}:events`, '-', '+');
    expect(entries.slice(1).map(([, fields]) => fields.slice(0, 6))).toEqual([
      ['type', 'id-changed', 'sessionId', 'b', 'previousSessionId', 'a'],
    ]);
    expect(await redis.client.zrange(`${prefix}:expirations`, '0', '-1')).toEqual(['b']);
  });

  it('answers -1 and writes nothing when there is no such session, or it is over', async () => {
    expect(await inVain(() => save({ set: ['x', '1'] }))).toEqual([-1, now]);
    await create();
    await redis.client.hset(hashOf('a'), 'over', '1');
    expect(await inVain(() => save({ set: ['x', '1'] }))).toEqual([-1, now]);
  });

  it('answers -1 and writes nothing when somebody has ended the session', async () => {
    await redis.client.set(`${prefix}:ended:b`, 'signed-out');
    await create();
    expect(await inVain(() => save({ id: 'b' }))).toEqual([-1, now]);
  });

  it('answers -2 and writes nothing when it is too late', async () => {
    await create();
    expect(await inVain(() => save({ set: ['x', '1'], latest: startMs - 1 }))).toEqual([-2, now]);
  });

  it('answers -3 and writes nothing when a field under update has changed', async () => {
    await create({ set: ['x', '1'] });
    expect(await inVain(() => save({ set: ['x', '3'], updates: ['x', '1', '2'] }))).toEqual([
      ...[-3, now, 'x', '1', '1'],
    ]);
  });

  it('answers -4 and writes nothing when an index field holds something else', async () => {
    await create({ set: ['index:p', 'abcdef:kim'] });
    const index = ['index:p', 'ghijkl:kim', 'index:q', ''];
    expect(await inVain(() => save({ id: 'b', index }))).toEqual([-4, now, 'abcdef:kim', '']);
  });
});

describe('createIndexed', () => {
  const eventsOf = async () => {
    const entries = await redis.client.xrange(`${prefix}:events`, '-', '+');
    return entries.map(([, fields]) => fields);
  };

  it('answers with the time alone, and stores all fields, the expiry and one event, also when it is sent again', async () => {
    const set = Array.from({ length: 7100 }, (_, i) => `${i}`);
    for (let i = 0; i < 2; i++) expect(await create({ set, eventFields: 4 })).toEqual(now);
    expect(await redis.client.hlen(hashOf('a'))).toBe(3553);
    expect(await redis.client.hget(hashOf('a'), '7098')).toBe('7099');
    expect(await redis.client.pexpiretime(hashOf('a'))).toBe(startMs + 1_801_000);
    expect(await redis.client.zscore(`${prefix}:expirations`, 'a')).toBe(`${startMs + 1_800_000}`);
    expect(await eventsOf()).toEqual([
      [
        ...['type', 'created', 'sessionId', 'a', 'creationTime', `${startMs}`],
        ...['lastAccessedTime', `${startMs}`, 'maxInactiveInterval', '1800', '0', '1'],
      ],
    ]);
  });

  it('puts no more into an event than a script can pass on', async () => {
    await create({ set: Array.from({ length: 9000 }, (_, i) => `${i}`) });
    expect((await eventsOf())[0]).toHaveLength(7004);
  });

  it('schedules nothing for a session that never expires', async () => {
    await create({ expiry: '' });
    expect(await redis.client.pttl(hashOf('a'))).toBe(-1);
    expect(await redis.client.exists(`${prefix}:expirations`)).toBe(0);
  });

  it('answers -1 and writes nothing when somebody has ended the session', async () => {
    await redis.client.set(`${prefix}:ended:a`, 'signed-out');
    expect(await inVain(() => create())).toEqual([-1, now]);
  });

  it('answers -2 and writes nothing when it is too late', async () => {
    expect(await inVain(() => create({ latest: startMs - 1 }))).toEqual([-2, now]);
  });
});

describe('deleteIndexed', () => {
  const remove = (reason: string) =>
    run(
      deleteIndexed,
      ...[hashOf('a'), `${prefix}:expirations`, `${prefix}:ended:a`],
      ...['a', reason, 60_000, 'index:p', 'index:q'],
    );

  it('answers the texts that it is asked for, and leaves nothing but the reason', async () => {
    await create({ set: ['index:p', 'abcdef:kim', 'sessionAttr:x', '1'] });
    expect(await remove('signed-out')).toEqual(['abcdef:kim', null]);
    expect(await redis.client.exists(hashOf('a'), `${prefix}:expirations`)).toBe(0);
    expect(await redis.client.get(`${prefix}:ended:a`)).toBe('signed-out');
    expect(await redis.client.xlen(`${prefix}:events`)).toBe(1);
  });

  it('answers nothing when there is no session, or something else in its place', async () => {
    expect(await inVain(() => remove(''))).toEqual([]);
    await redis.client.set(hashOf('a'), 'text');
    expect(await remove('')).toEqual([]);
    expect(await redis.client.exists(hashOf('a'))).toBe(0);
  });
});

describe('endSession', () => {
  beforeEach(async () => {
    await create({ set: ['index:p', 'abcdef:kim', 'sessionAttr:x', '1'] });
  });

  it('answers 1 with the fields that are no attributes', async () => {
    const reply = await end('deleted', { reason: 'signed-out' });
    expect(reply.slice(0, 2)).toEqual([1, now]);
    expect(reply).toContain('abcdef:kim');
    expect(reply).not.toContain('sessionAttr:x');
    expect(await redis.client.exists(hashOf('a'), `${prefix}:expirations`)).toBe(0);
    expect(await redis.client.get(`${prefix}:ended:a`)).toBe('signed-out');
  });

  it('answers 2 with the expiry of a session that lives', async () => {
    const expiry = `${startMs + 1_800_000}`;
    expect((await end('expired')).slice(0, 3)).toEqual([2, now, expiry]);
    expect(await redis.client.hget(hashOf('a'), 'indexExpiry')).toBe(expiry);
  });

  it('answers 1 for one whose end has come, and 3 when another one has ended it', async () => {
    const nowMs = startMs + 1_800_000;
    expect((await end('expired', { nowMs: nowMs - 1 }))[0]).toBe(2);
    expect((await end('expired', { nowMs }))[0]).toBe(1);
    expect(await inVain(() => end('expired', { nowMs }))).toEqual([3, now]);
    expect(await inVain(() => end('deleted'))).toEqual([3, now]);
  });

  it('answers -2 and writes nothing when it is too late', async () => {
    expect(await inVain(() => end('deleted', { latest: startMs - 1 }))).toEqual([-2, now]);
  });
});

describe('loadIndexed', () => {
  const load = (
    nowMs: number,
    access: number | '',
    { latest = later(), knownVersion = '', leastVersioned = '' }: Load = {},
  ) =>
    run(
      { ...loadIndexed, numberOfKeys: 1 },
      ...[hashOf('a'), nowMs, latest, -1, 0, 1000, 300_000, leastVersioned, access, knownVersion],
    );

  it('answers 1 with the hash, and records the access', async () => {
    await create();
    const [outcome, , count, text] = await load(startMs, startMs + 5);
    expect(outcome).toBe(1);
    expect(HashText.parse(count, text)?.get('lastAccessedTime')).toBe(`${startMs + 5}`);
    expect(await redis.client.pexpiretime(hashOf('a'))).toBe(startMs + 5 + 1_801_000);
  });

  it('answers 1 without fields when there is none, and marks one whose end has come', async () => {
    expect(await load(startMs, '')).toEqual([1, now, 0, '']);
    await create();
    expect(await load(startMs + 1_800_000, '')).toEqual([1, now, 0, '']);
    expect(await redis.client.hget(hashOf('a'), 'over')).toBe('1');
    expect(await load(startMs, '')).toEqual([1, now, 0, '']);
  });

  it('answers 1 with the last access alone when the caller knows the version', async () => {
    await create({ set: ['indexExpiry', `${startMs}`, 'version', '7'] });
    const known = await load(startMs, startMs + 5, { knownVersion: '7' });
    expect(known).toEqual([1, now, -2, expect.stringMatching(new RegExp(`${startMs + 5}$`))]);
    const late = startMs + 300_006;
    const renewed = await load(late, late, { knownVersion: '7' });
    expect(renewed[3]).toMatch(new RegExp(`${late}\0newIndexExpiry\x001$`));
    await redis.client.hset(hashOf('a'), 'over', '1');
    expect(await load(startMs, startMs, { knownVersion: '7' })).toEqual([1, now, 0, '']);
  });

  it('gives a hash without a version one when it is as large as asked', async () => {
    await create({ set: ['sessionAttr:a', 'x'.repeat(100)] });
    const versionAfter = async (leastVersioned: number | '') => {
      const [, , count, text] = await load(startMs, startMs + 5, { leastVersioned });
      return HashText.parse(count, text)?.get('version');
    };
    expect(await versionAfter('')).toBeUndefined();
    expect(await versionAfter(1000)).toBeUndefined();
    const version = await versionAfter(100);
    expect(version).toMatch(/^[\da-f]{16}$/);
    expect(await versionAfter(100)).toBe(version);
    expect(await redis.client.hget(hashOf('a'), 'version')).toBe(version);
  });

  it('answers -2 and records nothing when it is too late', async () => {
    await create();
    expect(await inVain(() => load(startMs, startMs + 5, { latest: startMs - 1 }))).toEqual([
      -2,
      now,
    ]);
  });
});

describe('claimDue', () => {
  it('answers the oldest that are due, and nobody else gets them until the lease ends', async () => {
    const key = `${prefix}:expirations`;
    await redis.client.zadd(key, '30', 'c', '10', 'a', '20', 'b');
    expect(await run({ ...claimDue, numberOfKeys: 1 }, key, 25, 100, 1)).toEqual(['a']);
    expect(await run({ ...claimDue, numberOfKeys: 1 }, key, 25, 100, 5)).toEqual(['b']);
    expect(await run({ ...claimDue, numberOfKeys: 1 }, key, 25, 100, 5)).toEqual([]);
    expect(await run({ ...claimDue, numberOfKeys: 1 }, key, 100, 200, 5)).toEqual(['c', 'a', 'b']);
  });
});

describe('indexes', () => {
  const index = () => `${prefix}:index`;
  /** @param known - entry, last access or '' = it has no session */
  const admit = async (entry: string, isRefused: '0' | '1', ...known: (string | number)[]) => {
    const reply = await run(
      admitToIndex,
      ...[index(), `${prefix}:admitted`, entry, startMs + 60_000, 0, 1000, 2, isRefused],
      ...['own', later(), 30_000, ...known],
    );
    return [reply[0], ...reply.slice(2)];
  };
  const add = (entry: string, expiry: number | '+inf', dropBefore = 11) =>
    run(addToIndex, index(), entry, expiry, dropBefore, 12_000, later());
  const entriesOfIndex = () => redis.client.zrange(index(), '0', '-1');
  const endOfIndex = () => redis.client.pexpiretime(index());

  it('add and read an entry, and drop those that ended before', async () => {
    await redis.client.zadd(index(), '10', 'old:1');
    expect(await add('a:1', startMs)).toEqual(now);
    expect(await endOfIndex()).toBe(startMs + 12_000);
    expect(await run(pageOfIndex, index(), 0, 0, 9)).toEqual([1, 'a:1']);
    expect(await run(pageOfIndex, index(), startMs + 1, 0, 9)).toEqual([0]);
  });

  it('end after their last entry, a twelfth of the grace earlier at most', async () => {
    await add('a:1', startMs + 60_000);
    expect(await endOfIndex()).toBe(startMs + 72_000);
    await add('b:1', startMs + 60_500);
    await add('c:1', startMs + 1000, startMs + 59_000);
    expect(await endOfIndex()).toBe(startMs + 72_000);
    expect(await entriesOfIndex()).toEqual(['c:1', 'a:1', 'b:1']);
    await add('d:1', startMs + 62_000, startMs + 59_000);
    expect(await endOfIndex()).toBe(startMs + 74_000);
    expect(await entriesOfIndex()).toEqual(['a:1', 'b:1', 'd:1']);
  });

  it('never end while an entry never does', async () => {
    await add('a:1', '+inf');
    expect(await endOfIndex()).toBe(-1);
    await add('b:1', startMs + 60_000);
    expect(await endOfIndex()).toBe(-1);
    await redis.client.zrem(index(), 'a:1');
    await add('b:1', startMs + 61_000);
    expect(await endOfIndex()).toBe(startMs + 73_000);
    await add('a:1', '+inf');
    expect(await endOfIndex()).toBe(-1);
    await redis.client.zrem(index(), 'a:1');
    await add('c:1', startMs - 60_000);
    expect(await endOfIndex()).toBe(startMs + 73_000);
  });

  it('add nothing that is too late', async () => {
    const late = run(addToIndex, index(), 'a:1', startMs, 11, 5000, startMs - 1);
    expect(await late).toEqual([-2, now]);
    const keys = [index(), `${prefix}:admitted`];
    const rest = ['a:1', startMs, 0, 1000, 2, '0', 'own', startMs - 1, 30_000];
    expect((await run(admitToIndex, ...keys, ...rest))[0]).toBe(-2);
    expect(await redis.client.exists(...keys)).toBe(0);
  });

  it('admit as many as allowed, and name those that were used longest ago', async () => {
    await redis.client.zadd(index(), '20', 'b:1', '10', 'a:1', '30', 'own:1');
    expect(await admit('c:1', '0', 'a:1', 200, 'b:1', 100)).toEqual([1, 'b:1']);
    expect(await entriesOfIndex()).toEqual(['a:1', 'b:1', 'own:1', 'c:1']);
  });

  it('name the same ones again while they are about to end, whatever is known of them', async () => {
    await redis.client.zadd(index(), '20', 'b:1', '10', 'a:1');
    expect(await admit('c:1', '0', 'a:1', 200, 'b:1', 100)).toEqual([1, 'b:1']);
    expect(await admit('d:1', '0', 'a:1', 200, 'b:1', 300)).toEqual([1, 'b:1', 'a:1']);
  });

  it('do not count an entry without a session, and leave it', async () => {
    await redis.client.zadd(index(), '20', 'b:1', '10', 'a:1');
    expect(await admit('c:1', '0', 'a:1', 200, 'b:1', '')).toEqual([1]);
    expect(await entriesOfIndex()).toEqual(['a:1', 'b:1', 'c:1']);
  });

  it('refuse one more and add nothing, unless one of them has no session and is not just being stored', async () => {
    await admit('a:1', '1');
    await redis.client.zadd(index(), '10', 'b:1');
    expect(await admit('c:1', '1')).toEqual([-1, 'b:1']);
    expect(await entriesOfIndex()).toEqual(['b:1', 'a:1']);
    expect(await admit('c:1', '1', 'a:1', '')).toEqual([-1, 'b:1']);
    expect(await admit('c:1', '1', 'b:1', '')).toEqual([1]);
  });
});

describe('dropConsumers', () => {
  it('removes those that were not seen for long, and the one that it is told, but none with an event in hand', async () => {
    const key = `${prefix}:events`;
    await redis.client.xgroup('CREATE', key, 'g', '0', 'MKSTREAM');
    await redis.client.xadd(key, '*', 'a', '1');
    for (const name of ['busy', 'own', 'other'])
      await redis.client.xreadgroup('GROUP', 'g', name, 'COUNT', 1, 'STREAMS', key, '>');
    const names = async () =>
      ((await redis.client.xinfo('CONSUMERS', key, 'g')) as string[][]).map(([, name]) => name);
    await redis.client.xgroup('CREATECONSUMER', key, 'g', 'own');
    await redis.client.xgroup('CREATECONSUMER', key, 'g', 'other');
    expect(await run(dropConsumers, key, 'g', 60_000, '0', 'own')).toBe(0);
    expect(await run(dropConsumers, key, 'g', 60_000, '1', 'own')).toBe(1);
    expect(await names()).toEqual(['busy', 'other']);
    expect(await run(dropConsumers, key, 'g', 0, '1', 'busy')).toBe(1);
    expect(await names()).toEqual(['busy']);
  });
});
