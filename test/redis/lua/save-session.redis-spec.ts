import { beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { saveSession } from '../../../libs/redis-session/src/redis/lua/scripts.generated.js';
import { type KeyContent, useTestRedis } from '../../support/redis/test-redis.js';

interface Save {
  storedId: string;
  currentId: string;
  saveId: string;
  created: number | '';
  latest: number;
  accessed: number;
  interval: number | '';
  absoluteTimeout: number;
  knownVersion: string;
  set: string[];
  remove: string[];
  updates: string[];
}

const redis = useTestRedis();
const startMs = Date.now();
let id: string;

/** A save of the session `id` that changes nothing but what `change` says. */
function saveOf(change: Partial<Save>): Save {
  return {
    storedId: id,
    currentId: id,
    saveId: '',
    created: '',
    latest: Date.now() + 60_000,
    accessed: startMs,
    interval: '',
    absoluteTimeout: -1,
    knownVersion: '',
    set: [],
    remove: [],
    updates: [],
    ...change,
  };
}

async function send(save: Save): Promise<unknown[]> {
  const { keys } = redis;
  const reply = await redis.client.eval(
    saveSession.lua,
    saveSession.numberOfKeys,
    keys.session(save.storedId),
    keys.session(save.currentId),
    save.saveId ? keys.save(save.currentId, save.saveId) : keys.session(save.storedId),
    save.created,
    save.latest,
    save.accessed,
    save.interval,
    save.absoluteTimeout,
    save.knownVersion,
    save.set.length / 2,
    save.remove.length,
    save.updates.length / 3,
    ...save.set,
    ...save.remove,
    ...save.updates,
  );
  return reply as unknown[];
}

const contentOf = (ofId: string): Promise<KeyContent> => redis.contentOf(redis.keys.session(ofId));

/** The moment at which the key expires: -1 = never, -2 = there is none. */
const expiryOf = (ofId: string): Promise<number> =>
  redis.client.pexpiretime(redis.keys.session(ofId));

const GONE: KeyContent = { fields: {}, ttlMs: -2 };
const first = { creationTime: String(startMs), lastAccessedTime: String(startMs) };

/** Sends `save` and expects that it leaves all keys of the session, fields and lives, as they are. */
async function sendInVain(save: Save): Promise<unknown[]> {
  const pattern = `${redis.namespace}:*{${id.slice(0, 8)}}*`;
  const read = async () => {
    const keys = (await redis.client.keys(pattern)).sort();
    const expiries = await Promise.all(keys.map((key) => redis.client.pexpiretime(key)));
    const dumps = await Promise.all(keys.map((key) => redis.client.dumpBuffer(key)));
    return { keys, expiries, dumps };
  };
  const before = await read();
  const reply = await send(save);
  expect(await read()).toEqual(before);
  return reply;
}

beforeEach(async () => {
  id = randomUUID();
  await send(saveOf({ created: startMs, interval: 1800, set: ['a', '1', 'b', '2'] }));
});

describe('saveSession answers 1 when it', () => {
  it('creates a session that expires at its last access plus its interval, to the millisecond', async () => {
    const newId = randomUUID();
    const save = saveOf({ storedId: newId, currentId: newId, created: startMs, interval: 60 });
    expect(await send({ ...save, set: ['x', 'y'] })).toEqual([1, expect.any(Number), '']);
    expect((await contentOf(newId)).fields).toEqual({
      ...first,
      maxInactiveInterval: '60',
      x: 'y',
    });
    expect(await expiryOf(newId)).toBe(startMs + 60_000);
  });

  it('sets more fields than Lua can pass to one call', async () => {
    const names = Array.from({ length: 4500 }, (_, number) => `field${number}`);
    await send(saveOf({ set: names.flatMap((name) => [name, name]) }));
    expect((await contentOf(id)).fields).toMatchObject(
      Object.fromEntries(names.map((name) => [name, name])),
    );
  });

  it('tells the time of the server in ms', async () => {
    const [, nowMs] = await send(saveOf({}));
    expect(Math.abs(Number(nowMs) - Date.now())).toBeLessThan(60_000);
  });

  it('creates a session whose id was changed before, under the new id', async () => {
    const newId = `${id.slice(0, 8)}-new`;
    await redis.client.del(redis.keys.session(id));
    expect(await send(saveOf({ currentId: newId, created: startMs, interval: -1 }))).toContain(1);
    expect(await contentOf(newId)).toEqual({
      fields: { ...first, maxInactiveInterval: '-1' },
      ttlMs: -1,
    });
    expect(await contentOf(id)).toEqual(GONE);
  });

  it.each([
    ['a field to set', { set: ['a', '2'] }],
    ['a field to delete', { remove: ['a'] }],
    ['another interval', { interval: 60 }],
    ['a creation that is sent again', { created: startMs, interval: 1800 }],
  ])('gives a hash with a version a new one for %s', async (_what, save) => {
    const version = () => redis.client.hget(redis.keys.session(id), 'version');
    await redis.client.hset(redis.keys.session(id), 'version', '7');
    const versions: unknown[] = ['7'];
    for (let i = 0; i < 2; i++) {
      await send(saveOf(save));
      versions.push(await version());
    }
    expect(new Set(versions).size).toBe(3);
  });

  it('gives a hash another version for another change of the same version, whatever the clock says', async () => {
    const key = redis.keys.session(id);
    await redis.client.hset(key, 'version', '7');
    const backup = await redis.client.dumpBuffer(key);
    const latest = Date.now() + 60_000;
    const versions: unknown[] = [];
    for (const set of [
      ['a', '1', 'b', '2'],
      ['a', '2', 'b', '1'],
      ['a', '1'],
    ]) {
      await redis.client.restore(key, 0, backup, 'REPLACE');
      await send(saveOf({ latest, set }));
      versions.push(await redis.client.hget(key, 'version'));
    }
    expect(new Set(versions).size).toBe(3);
  });

  it('leaves the version alone when nothing changes but the last access or the id', async () => {
    await redis.client.hset(redis.keys.session(id), 'version', '7');
    await send(saveOf({ accessed: startMs + 5 }));
    await send(saveOf({ currentId: `${id}b` }));
    expect((await contentOf(`${id}b`)).fields).toMatchObject({ version: '7' });
  });

  it('gives a hash without a version none', async () => {
    await send(saveOf({ set: ['a', '2'] }));
    expect((await contentOf(id)).fields).not.toHaveProperty('version');
  });

  it('tells the new version to who knows the earlier one', async () => {
    const versionFor = async (save: Partial<Save>) => (await send(saveOf(save)))[2];
    const stored = () => redis.client.hget(redis.keys.session(id), 'version');
    expect(await versionFor({ set: ['a', '2'], knownVersion: '7' })).toBe('');
    await redis.client.hset(redis.keys.session(id), 'version', '7');
    expect(await versionFor({ knownVersion: '7' })).toBe('7');
    expect(await versionFor({ set: ['a', '2'], knownVersion: '7' })).toBe(await stored());
    expect(await versionFor({ set: ['a', '2'], knownVersion: '7' })).toBe('');
  });

  it('sets and deletes fields and leaves the others alone', async () => {
    expect(await send(saveOf({ set: ['c', '3'], remove: ['a', 'absent'] }))).toContain(1);
    expect((await contentOf(id)).fields).toEqual({
      ...first,
      maxInactiveInterval: '1800',
      b: '2',
      c: '3',
    });
  });

  it('renews the time to live by the new access, or by the stored one if that is later', async () => {
    await send(saveOf({ accessed: startMs + 5000 }));
    expect(await expiryOf(id)).toBe(startMs + 1_805_000);
    await send(saveOf({ accessed: startMs + 1000 }));
    expect(await expiryOf(id)).toBe(startMs + 1_805_000);
    expect((await contentOf(id)).fields['lastAccessedTime']).toBe(String(startMs + 5000));
  });

  it('renews it by a new interval, and ends it when that is negative', async () => {
    await send(saveOf({ interval: 60 }));
    expect(await expiryOf(id)).toBe(startMs + 60_000);
    await send(saveOf({ interval: -1 }));
    expect(await expiryOf(id)).toBe(-1);
    await send(saveOf({ set: ['a', '2'] }));
    expect(await expiryOf(id)).toBe(-1);
    await send(saveOf({ interval: 60 }));
    expect(await expiryOf(id)).toBe(startMs + 60_000);
  });

  it('lets the session live no longer than its absolute lifetime', async () => {
    await send(saveOf({ absoluteTimeout: 90_000 }));
    expect(await expiryOf(id)).toBe(startMs + 90_000);
    await send(saveOf({ absoluteTimeout: 90_000, interval: -1 }));
    expect(await expiryOf(id)).toBe(startMs + 90_000);
    await send(saveOf({ absoluteTimeout: 90_000, interval: 60 }));
    expect(await expiryOf(id)).toBe(startMs + 60_000);
  });

  it('leaves nothing of a session whose end has come', async () => {
    await send(saveOf({ absoluteTimeout: 0 }));
    expect(await contentOf(id)).toEqual(GONE);
  });

  it('gives the session its new id', async () => {
    const newId = `${id.slice(0, 8)}-new`;
    const save = saveOf({ currentId: newId, set: ['a', 'new'] });
    expect(await send(save)).toContain(1);
    expect(await contentOf(id)).toEqual(GONE);
    expect((await contentOf(newId)).fields).toMatchObject({ ...first, a: 'new', b: '2' });
    expect(await expiryOf(newId)).toBe(startMs + 1_800_000);
  });

  it('updates a field that is as it was read, be it present or absent', async () => {
    const updates = ['a', '1', '1', 'absent', '0', '', 'empty', '0', ''];
    const set = ['a', '10', 'absent', 'x', 'empty', ''];
    expect(await send(saveOf({ saveId: randomUUID(), set, updates }))).toContain(1);
    expect((await contentOf(id)).fields).toMatchObject({ a: '10', absent: 'x', empty: '' });
    const again = saveOf({ saveId: randomUUID(), updates: ['empty', '1', ''], remove: ['empty'] });
    expect(await send(again)).toContain(1);
    expect((await contentOf(id)).fields).not.toHaveProperty('empty');
  });
});

describe('saveSession sent twice', () => {
  it.each<[string, () => Partial<Save>]>([
    ['a new session', () => ({ created: startMs, interval: 60, set: ['a', 'new'] })],
    ['changed fields', () => ({ set: ['a', 'new'], remove: ['b'], accessed: startMs + 1 })],
    ['a new id', () => ({ currentId: `${id.slice(0, 8)}-new`, set: ['a', 'new'] })],
    ['an update', () => ({ saveId: 'u', set: ['a', '2'], updates: ['a', '1', '1'] })],
    ['an update that removes', () => ({ saveId: 'r', remove: ['a'], updates: ['a', '1', '1'] })],
    [
      'an update and a new id',
      () => ({
        saveId: 'n',
        currentId: `${id.slice(0, 8)}-new`,
        set: ['a', '2'],
        updates: ['a', '1', '1'],
      }),
    ],
  ])('gives the same answer and state: %s', async (_title, change) => {
    const save = saveOf(change());
    expect((await send(save))[0]).toBe(1);
    const stored = await contentOf(save.currentId);
    const expiry = await expiryOf(save.currentId);
    expect((await send(save))[0]).toBe(1);
    expect((await contentOf(save.currentId)).fields).toEqual(stored.fields);
    expect(await expiryOf(save.currentId)).toBe(expiry);
    if (save.currentId !== id) expect(await contentOf(id)).toEqual(GONE);
  });

  it('does not undo what another save did between, when it is an update', async () => {
    const save = saveOf({ saveId: 'x', set: ['a', '2'], updates: ['a', '1', '1'] });
    await send(save);
    await send(saveOf({ set: ['a', 'other'] }));
    expect((await sendInVain(save))[0]).toBe(1);
  });

  it('says so of an update even when it is sent again too late', async () => {
    const save = saveOf({ saveId: 'l', set: ['a', '2'], updates: ['a', '1', '1'] });
    await send(save);
    expect((await sendInVain({ ...save, latest: Date.now() - 1 }))[0]).toBe(1);
  });

  it('marks an update for ten seconds longer than it may take place', async () => {
    await send(saveOf({ saveId: 'm', updates: ['a', '1', '1'], latest: Date.now() + 2000 }));
    const ttlMs = await redis.client.pttl(redis.keys.save(id, 'm'));
    expect(ttlMs).toBeGreaterThan(9000);
    expect(ttlMs).toBeLessThanOrEqual(12_000);
  });
});

describe('saveSession answers -1 and writes nothing when the session', () => {
  it('does not exist', async () => {
    await redis.client.del(redis.keys.session(id));
    expect(await sendInVain(saveOf({ set: ['a', '2'] }))).toEqual([-1, expect.any(Number)]);
  });

  it('does not exist under the old nor the new id', async () => {
    await redis.client.del(redis.keys.session(id));
    const currentId = `${id.slice(0, 8)}-new`;
    const updates = ['a', '0', ''];
    expect((await sendInVain(saveOf({ currentId, saveId: 'u', updates })))[0]).toBe(-1);
  });

  it('was given another id meanwhile', async () => {
    await send(saveOf({ currentId: `${id.slice(0, 8)}-first` }));
    expect((await sendInVain(saveOf({ set: ['a', '2'] })))[0]).toBe(-1);
    expect((await sendInVain(saveOf({ currentId: `${id.slice(0, 8)}-second` })))[0]).toBe(-1);
  });

  it.each([
    ['creationTime', 'nan'],
    ['lastAccessedTime', 'inf'],
    ['maxInactiveInterval', '1e999'],
    ['maxInactiveInterval', '0x10'],
    ['lastAccessedTime', '9999999999999999'],
    ['lastAccessedTime', ''],
  ])('has the %s %j', async (field, text) => {
    await redis.client.hset(redis.keys.session(id), field, text);
    expect((await sendInVain(saveOf({ set: ['a', '2'], interval: 60 })))[0]).toBe(-1);
  });
});

describe('saveSession answers -2 and writes nothing when it is too late', () => {
  it.each<[string, () => Partial<Save>]>([
    ['for a change', () => ({ set: ['a', '2'], remove: ['b'] })],
    ['for a new session', () => ({ created: startMs, interval: 1, set: ['a', '2'] })],
    ['for a new id', () => ({ currentId: `${id.slice(0, 8)}-new` })],
    ['for an update', () => ({ saveId: 'u', set: ['a', '2'], updates: ['a', '1', '1'] })],
  ])('%s', async (_title, change) => {
    const save = saveOf({ ...change(), latest: Date.now() - 1000 });
    const [outcome, nowMs] = await sendInVain(save);
    expect(outcome).toBe(-2);
    expect(nowMs).toBeGreaterThan(save.latest);
  });
});

describe('saveSession answers -3 and writes nothing when a field under update', () => {
  it('has another text: it tells all fields under update', async () => {
    const updates = ['a', '1', 'old', 'b', '1', '2', 'absent', '0', ''];
    const save = saveOf({ saveId: 'u', set: ['a', 'x', 'c', 'y'], remove: ['b'], updates });
    expect(await sendInVain(save)).toEqual([
      ...[-3, expect.any(Number)],
      ...['a', '1', '1', 'b', '1', '2', 'absent', '0', ''],
    ]);
  });

  it('is there and was absent', async () => {
    const save = saveOf({ saveId: 'u', updates: ['a', '0', ''], set: ['a', 'x'] });
    expect(await sendInVain(save)).toEqual([-3, expect.any(Number), 'a', '1', '1']);
  });

  it('is absent and was there, even if empty', async () => {
    const currentId = `${id.slice(0, 8)}-new`;
    const save = saveOf({ saveId: 'u', currentId, updates: ['gone', '1', ''], set: ['gone', 'x'] });
    expect(await sendInVain(save)).toEqual([-3, expect.any(Number), 'gone', '0', '']);
  });
});
