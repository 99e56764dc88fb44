import { beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import {
  createSession,
  setAttributes,
  setIndexedAttributes,
} from '../../../libs/redis-session/src/redis/lua/scripts.generated.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();
const startMs = Date.now();
const IN_TIME = () => Date.now() + 60_000;
const TOO_LATE = () => Date.now() - 1000;
const TIMES = [
  ...['creationTime', String(startMs), 'lastAccessedTime', String(startMs)],
  ...['maxInactiveInterval', '1800'],
];
let key: string;

function create(latest: number, expiry: number | '', fields: readonly string[]): Promise<unknown> {
  return redis.client.eval(createSession.lua, 1, key, latest, expiry, ...fields);
}

const fieldsOf = () => redis.client.hgetall(key);
const versionOf = () => redis.client.hget(key, 'version');

function expectServerTime(reply: unknown): void {
  expect(Math.abs(Number(reply) - Date.now())).toBeLessThan(60_000);
}

/** @param texts - names and values in turn */
function pairsOf(texts: readonly string[]): [string, string][] {
  return texts.flatMap((name, i) => (i % 2 === 0 ? [[name, texts[i + 1] ?? '']] : []));
}

beforeEach(() => {
  key = redis.keys.session(randomUUID());
});

describe('createSession', () => {
  it('stores all fields, and the session ends at its end to the millisecond', async () => {
    expectServerTime(await create(IN_TIME(), startMs + 1_800_000, [...TIMES, 'a', '1']));
    expect(await fieldsOf()).toEqual({
      creationTime: String(startMs),
      lastAccessedTime: String(startMs),
      maxInactiveInterval: '1800',
      a: '1',
    });
    expect(await redis.client.pexpiretime(key)).toBe(startMs + 1_800_000);
  });

  it('stores a session that never ends, also over one that would have ended', async () => {
    await create(IN_TIME(), startMs + 60_000, TIMES);
    expectServerTime(await create(IN_TIME(), '', TIMES));
    expect(await redis.client.pexpiretime(key)).toBe(-1);
  });

  it('leaves nothing of a session whose end has come', async () => {
    await create(IN_TIME(), startMs - 1, TIMES);
    expect(await redis.client.exists(key)).toBe(0);
  });

  it('gives the same state when it is sent twice', async () => {
    const send = () => create(IN_TIME(), startMs + 1_800_000, [...TIMES, 'a', '1']);
    await send();
    const before = await fieldsOf();
    await send();
    expect(await fieldsOf()).toEqual(before);
  });

  it('gives a hash that has a version another one', async () => {
    await create(IN_TIME(), startMs + 1_800_000, [...TIMES, 'version', '7']);
    await create(IN_TIME(), startMs + 1_800_000, [...TIMES, 'a', '1']);
    const version = await versionOf();
    expect(version).toMatch(/^[0-9a-f]{16}$/);
    await create(IN_TIME(), startMs + 1_800_000, [...TIMES, 'a', '2']);
    expect(await versionOf()).not.toBe(version);
  });

  it('writes nothing when it is too late', async () => {
    const reply = await create(TOO_LATE(), startMs + 1_800_000, TIMES);
    expect(reply).toEqual([-2, expect.any(Number)]);
    expect(await redis.client.exists(key)).toBe(0);
  });
});

describe.each([
  ['setAttributes', setAttributes.lua, []],
  ['setIndexedAttributes', setIndexedAttributes.lua, ['-1']],
])('%s', (_name, lua, commonArguments) => {
  const set = (latest: number, version: string, fields: readonly string[]) =>
    redis.client.eval(
      ...[lua, 1, key, latest, ...commonArguments, version, fields.length / 2, ...fields],
    );

  beforeEach(() => create(IN_TIME(), startMs + 1_800_000, [...TIMES, 'a', '1', 'b', '2']));

  it('sets fields, and leaves the others and the end of the session alone', async () => {
    const reply = await set(IN_TIME(), '', ['a', 'new', 'c', '3']);
    expectServerTime(reply);
    expect(await fieldsOf()).toMatchObject({ a: 'new', b: '2', c: '3' });
    expect(await redis.client.pexpiretime(key)).toBe(startMs + 1_800_000);
  });

  it('writes nothing when the session has ended', async () => {
    await redis.client.del(key);
    expect(await set(IN_TIME(), '', ['a', 'new'])).toEqual([1, expect.any(Number), -1, '']);
    expect(await redis.client.exists(key)).toBe(0);
  });

  it('writes nothing when it is too late', async () => {
    const before = await fieldsOf();
    expect(await set(TOO_LATE(), '', ['a', 'new'])).toEqual([-2, expect.any(Number)]);
    expect(await fieldsOf()).toEqual(before);
  });

  it('gives a large session a new version, and tells it only to a caller who knows the last one', async () => {
    await redis.client.hset(key, 'version', '7');
    const reply = await set(IN_TIME(), '7', ['a', 'x']);
    expect(reply).toEqual([1, expect.any(Number), 1, await versionOf()]);
    const known = await versionOf();
    expectServerTime(await set(IN_TIME(), '7', ['a', 'y']));
    expect(await versionOf()).not.toBe(known);
    expect(await fieldsOf()).toMatchObject({ a: 'y', b: '2' });
  });

  it('sets the fields of each of several sessions, whatever the others are', async () => {
    const [gone, list, large] = [randomUUID(), randomUUID(), randomUUID()].map(redis.keys.session);
    await redis.client.rpush(list ?? '', 'no hash');
    await redis.client.hset(large ?? '', Object.fromEntries([...pairsOf(TIMES), ['version', '7']]));
    const keys = [key, gone, list, large].map(String);
    const own = [
      ...['', 2, 'a', 'first', 'c', '3', '', 1, 'a', 'second'],
      ...['', 1, 'a', 'third', '7', 1, 'a', 'fourth'],
    ];
    const reply = await redis.client.eval(
      ...[lua, keys.length, ...keys, IN_TIME(), ...commonArguments, ...own],
    );
    const version = await redis.client.hget(large ?? '', 'version');
    expect(reply).toEqual([1, expect.any(Number), 1, '', -1, '', -1, '', 1, version]);
    expect(await fieldsOf()).toMatchObject({ a: 'first', b: '2', c: '3' });
    expect(await redis.client.exists(gone ?? '')).toBe(0);
    expect(await redis.client.hget(large ?? '', 'a')).toBe('fourth');
  });
});

describe('setIndexedAttributes writes nothing', () => {
  const set = (absoluteTimeoutMs = -1) =>
    redis.client.eval(
      ...[setIndexedAttributes.lua, 1, key, IN_TIME(), absoluteTimeoutMs, '', 1, 'a', '2'],
    );

  beforeEach(() => create(IN_TIME(), startMs + 1_800_000, [...TIMES, 'a', '1']));

  it.each([
    ['once the session is over', 'over', '1'],
    ['once the idle time has passed', 'lastAccessedTime', String(startMs - 1_800_000)],
    ['where a time is no whole number', 'creationTime', 'nan'],
    ['where a time is empty', 'maxInactiveInterval', ''],
  ])('%s', async (_when, field, text) => {
    await redis.client.hset(key, field, text);
    expect(await set()).toEqual([1, expect.any(Number), -1, '']);
    expect(await fieldsOf()).toMatchObject({ a: '1' });
  });

  it('once the absolute lifetime has passed', async () => {
    expect(await set(0)).toEqual([1, expect.any(Number), -1, '']);
    expect(await fieldsOf()).toMatchObject({ a: '1' });
  });
});
