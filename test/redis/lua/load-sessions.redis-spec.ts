import { beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { loadSessions } from '../../../libs/redis-session/src/redis/lua/scripts.generated.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

interface Load {
  nowMs: number;
  accessMs: number | '';
  touchIntervalMs: number;
  absoluteTimeoutMs: number;
  latestMs: number;
  leastVersioned: number;
  knownVersion: string;
}

const redis = useTestRedis();
const startMs = Date.now();
let key: string;

async function send(load: Partial<Load> = {}): Promise<string[]> {
  const [outcome, timeMs, count, text] = await reply(load);
  expect(outcome).toBe(1);
  expect(timeMs).toBeGreaterThanOrEqual(startMs);
  const parts = count === 0 ? [] : String(text).split('\0');
  expect(parts).toHaveLength(Number(count));
  return parts;
}

async function reply(load: Partial<Load>): Promise<unknown[]> {
  const { nowMs, accessMs, touchIntervalMs, absoluteTimeoutMs, latestMs, ...versions } = {
    nowMs: startMs,
    accessMs: '',
    touchIntervalMs: 0,
    absoluteTimeoutMs: -1,
    latestMs: Date.now() + 60_000,
    leastVersioned: 1000,
    knownVersion: '',
    ...load,
  };
  const common = [nowMs, latestMs, absoluteTimeoutMs, versions.leastVersioned];
  const inputs = [...common, accessMs, touchIntervalMs, versions.knownVersion];
  const answer = await redis.client.eval(loadSessions.lua, 1, key, ...inputs);
  return answer as unknown[];
}

function fieldsOf(list: string[]): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let i = 0; i < list.length; i += 2) fields[list[i] ?? ''] = list[i + 1] ?? '';
  return fields;
}

const stored = {
  creationTime: String(startMs),
  lastAccessedTime: String(startMs),
  maxInactiveInterval: '1800',
  'sessionAttr:a': '1',
};

beforeEach(async () => {
  key = redis.keys.session(randomUUID());
  await redis.client.hset(key, stored);
  await redis.client.pexpireat(key, startMs + 1_800_000);
});

describe('loadSessions returns the fields', () => {
  it('as they are, and writes nothing, when no access is to be recorded', async () => {
    expect(fieldsOf(await send({ nowMs: startMs + 1_799_999 }))).toEqual(stored);
    expect((await redis.contentOf(key)).fields).toEqual(stored);
    expect(await redis.client.pexpiretime(key)).toBe(startMs + 1_800_000);
  });

  it('with the access, recorded with a new time to live in ms', async () => {
    const touched = { ...stored, lastAccessedTime: String(startMs + 1234) };
    expect(fieldsOf(await send({ accessMs: startMs + 1234 }))).toEqual(touched);
    expect((await redis.contentOf(key)).fields).toEqual(touched);
    expect(await redis.client.pexpiretime(key)).toBe(startMs + 1_801_234);
  });

  it('the same when it is sent twice', async () => {
    const touched = fieldsOf(await send({ accessMs: startMs + 1 }));
    expect(fieldsOf(await send({ accessMs: startMs + 1 }))).toEqual(touched);
    expect(await redis.client.pexpiretime(key)).toBe(startMs + 1_800_001);
  });

  it.each([
    ['earlier than the stored one', { accessMs: startMs - 1, touchIntervalMs: 0 }],
    ['sooner than the touch interval', { accessMs: startMs + 999, touchIntervalMs: 1000 }],
  ])('and writes nothing when the access is %s', async (_title, load) => {
    expect(fieldsOf(await send(load))).toEqual(stored);
    expect((await redis.contentOf(key)).fields).toEqual(stored);
    expect(await redis.client.pexpiretime(key)).toBe(startMs + 1_800_000);
  });

  it('with an access as late as the touch interval', async () => {
    const fields = await send({ accessMs: startMs + 1000, touchIntervalMs: 1000 });
    expect(fieldsOf(fields)['lastAccessedTime']).toBe(String(startMs + 1000));
  });

  it('and lets the session live no longer than its absolute lifetime', async () => {
    await send({ accessMs: startMs + 1000, absoluteTimeoutMs: 5000 });
    expect(await redis.client.pexpiretime(key)).toBe(startMs + 5000);
  });

  it('and keeps a session for ever whose interval is negative', async () => {
    await redis.client.hset(key, 'maxInactiveInterval', '-1');
    await redis.client.persist(key);
    await send({ nowMs: startMs + 1e12, accessMs: startMs + 1e12 });
    expect(await redis.client.pttl(key)).toBe(-1);
  });

  it.each([
    ['creationTime', 'nan'],
    ['lastAccessedTime', 'inf'],
    ['lastAccessedTime', '-inf'],
    ['maxInactiveInterval', '1e999'],
    ['maxInactiveInterval', '0x10'],
    ['maxInactiveInterval', '1800.5'],
    ['creationTime', '9999999999999999'],
    ['creationTime', ' 1'],
    ['lastAccessedTime', '9'.repeat(1_000_000)],
  ])('as they are, and writes nothing, when %s is no whole number', async (field, text) => {
    await redis.client.hset(key, field, text);
    const load = { nowMs: startMs + 1e12, accessMs: startMs + 1e12, absoluteTimeoutMs: 1 };
    expect(fieldsOf(await send(load))).toEqual({ ...stored, [field]: text });
    expect((await redis.contentOf(key)).fields).toEqual({ ...stored, [field]: text });
    expect(await redis.client.pexpiretime(key)).toBe(startMs + 1_800_000);
  });
});

describe('loadSessions returns nothing', () => {
  it('when there is no such session, and creates none', async () => {
    await redis.client.del(key);
    expect(await send({ accessMs: startMs + 1 })).toEqual([]);
    expect(await redis.client.exists(key)).toBe(0);
  });

  it('when the session has just expired, which it deletes', async () => {
    expect(await send({ nowMs: startMs + 1_800_000, accessMs: startMs + 1_800_000 })).toEqual([]);
    expect(await redis.client.exists(key)).toBe(0);
  });

  it('when its absolute lifetime is over', async () => {
    expect(await send({ nowMs: startMs + 5000, absoluteTimeoutMs: 5000 })).toEqual([]);
    expect(await redis.client.exists(key)).toBe(0);
  });
});

describe('loadSessions with a version that the caller knows', () => {
  const known = { knownVersion: 'v1' };

  beforeEach(() => redis.client.hset(key, 'version', 'v1'));

  it('returns the last access alone, recorded with a new time to live', async () => {
    expect((await reply(known)).slice(2)).toEqual([-2, `lastAccessedTime\0${startMs}`]);
    expect((await reply({ ...known, accessMs: startMs + 9 })).slice(2)).toEqual([
      -2,
      `lastAccessedTime\0${startMs + 9}`,
    ]);
    expect(await redis.client.hget(key, 'lastAccessedTime')).toBe(String(startMs + 9));
    expect(await redis.client.pexpiretime(key)).toBe(startMs + 1_800_009);
  });

  it('returns all when the hash has another version, or none', async () => {
    await redis.client.hset(key, 'version', 'v2');
    expect(fieldsOf(await send(known))).toEqual({ ...stored, version: 'v2' });
    await redis.client.hdel(key, 'version');
    expect(fieldsOf(await send(known))).toEqual(stored);
  });

  it('returns all when a time is no whole number', async () => {
    await redis.client.hset(key, 'lastAccessedTime', 'nan');
    const broken = { ...stored, version: 'v1', lastAccessedTime: 'nan' };
    expect(fieldsOf(await send({ ...known, accessMs: startMs + 9 }))).toEqual(broken);
  });

  it('returns nothing when the session has expired or is gone, or the key holds no hash', async () => {
    expect(await send({ ...known, nowMs: startMs + 1_800_000 })).toEqual([]);
    expect(await redis.client.exists(key)).toBe(0);
    expect(await send(known)).toEqual([]);
    await redis.client.rpush(key, 'no hash');
    expect((await reply(known)).slice(2)).toEqual([-1, '']);
  });
});

describe('loadSessions with a hash without a version', () => {
  it('gives a large one a version of its contents, once', async () => {
    const fields = fieldsOf(await send({ leastVersioned: 50 }));
    expect(fields).toEqual({ ...stored, version: expect.stringMatching(/^[\da-f]{16}$/) });
    expect(await redis.client.hget(key, 'version')).toBe(fields['version']);
    expect(fieldsOf(await send({ leastVersioned: 50 }))).toEqual(fields);
    await redis.client.hset(key, 'sessionAttr:a', '2');
    await redis.client.hdel(key, 'version');
    const other = fieldsOf(await send({ leastVersioned: 50 }));
    expect(other['version']).not.toBe(fields['version']);
  });

  it('gives a small one none', async () => {
    const length = Object.entries(stored).flat().join('\0').length;
    expect(fieldsOf(await send({ leastVersioned: length + 1 }))).toEqual(stored);
    expect(await redis.client.hexists(key, 'version')).toBe(0);
    expect(fieldsOf(await send({ leastVersioned: length }))).toHaveProperty('version');
  });
});

describe('loadSessions refuses', () => {
  it.each([
    ['an access to record', { accessMs: startMs + 1234 }],
    ['a session that has expired', { nowMs: startMs + 1_800_000 }],
  ])('%s when it comes too late, and writes nothing', async (_title, load) => {
    const [outcome, timeMs, ...fields] = await reply({ ...load, latestMs: startMs - 1 });
    expect([outcome, fields]).toEqual([-2, []]);
    expect(timeMs).toBeGreaterThanOrEqual(startMs);
    expect((await redis.contentOf(key)).fields).toEqual(stored);
    expect(await redis.client.pexpiretime(key)).toBe(startMs + 1_800_000);
  });
});

describe('loadSessions with several keys', () => {
  it('answers each in its place, and has one say nothing about the others', async () => {
    const [missing, list, expired, other] = ['m', 'l', 'e', 'o'].map((name) => `${key}${name}`);
    await redis.client.rpush(list ?? '', 'no hash');
    await redis.client.hset(expired ?? '', { ...stored, maxInactiveInterval: '0' });
    await redis.client.hset(other ?? '', { ...stored, 'sessionAttr:a': '2' });
    const keys = [key, missing, list, expired, other].map(String);
    const common = [startMs, Date.now() + 60_000, -1, 1000];
    const own = [0, 0, 0, 0, 1000].flatMap((touch) => [startMs + 7, touch, '']);
    const answer = await redis.client.eval(loadSessions.lua, 5, ...keys, ...common, ...own);
    const [outcome, , ...replies] = answer as unknown[];
    expect(outcome).toBe(1);
    const [first, second, ...rest] = [0, 2, 4, 6, 8].map((i) => replies.slice(i, i + 2));
    const recorded = { ...stored, lastAccessedTime: String(startMs + 7) };
    expect([first?.[0], fieldsOf(String(first?.[1]).split('\0'))]).toEqual([10, recorded]);
    expect([second, rest[0], rest[1]]).toEqual([
      [0, ''],
      [-1, ''],
      [0, ''],
    ]);
    const notDue = { ...stored, 'sessionAttr:a': '2' };
    expect([rest[2]?.[0], fieldsOf(String(rest[2]?.[1]).split('\0'))]).toEqual([8, notDue]);
    expect(await redis.client.exists(...keys)).toBe(3);
    expect((await redis.contentOf(key)).fields).toEqual(recorded);
  });
});
