import { beforeEach, describe, expect, it } from '@jest/globals';
import { RedisSessionRepository } from '../../../libs/redis-session/src/redis/sessions/redis-session-repository.js';
import {
  SessionCorruptError,
  SessionInvalidatedError,
} from '../../../libs/redis-session/src/session/session.errors.js';
import { type SessionRepositoryOptions } from '../../../libs/redis-session/src/session/repository-options.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const redis = useTestRedis();
const warnings: string[] = [];
let id: string;

function repositoryOf(onCorrupt: SessionRepositoryOptions['onCorrupt']): RedisSessionRepository {
  const warn = (message: string) => void warnings.push(message);
  const logger = { warn, error: warn };
  return new RedisSessionRepository(redis.client, {
    logger,
    namespace: redis.namespace,
    onCorrupt,
  });
}

const tolerant = repositoryOf('new-session');
const strict = repositoryOf('error');

beforeEach(async () => {
  warnings.length = 0;
  const session = tolerant.createSession();
  session.setAttribute('cart', ['a']);
  await session.save();
  id = session.id;
});

type Corrupt = (key: string) => Promise<unknown>;

const notNumbers = ['', 'secret', 'nan', 'inf', '-inf', '1e999', '0x10', '1.5', '9'.repeat(16)];

function corruptionsOf(field: string): [string, Corrupt][] {
  const set = (title: string, value: string | Buffer): [string, Corrupt] => [
    `${field} ${title}`,
    (key) => redis.client.hset(key, field, value),
  ];
  return [
    [`no ${field}`, (key) => redis.client.hdel(key, field)],
    ...notNumbers.map((text) => set(JSON.stringify(text), text)),
    set('of 1 MB', '9'.repeat(1_000_000)),
    set('that is no text', Buffer.from([255, 0, 254])),
  ];
}

const corruptions: [string, Corrupt][] = [
  ...['creationTime', 'lastAccessedTime', 'maxInactiveInterval'].flatMap(corruptionsOf),
  [
    'nothing but an unknown field',
    (key) => redis.client.multi().del(key).hset(key, 'secret', 'secret').exec(),
  ],
  ['a string instead of a hash', (key) => redis.client.set(key, 'secret')],
  ['a list instead of a hash', (key) => redis.client.multi().del(key).rpush(key, 'secret').exec()],
];

describe.each(corruptions)('a session with %s', (_title, corrupt) => {
  beforeEach(async () => {
    await corrupt(redis.keys.session(id));
  });

  it("is none with onCorrupt 'new-session', with one warning that reveals nothing", async () => {
    expect(await tolerant.findById(id, { accessTimeMs: Date.now() + 1 })).toBeUndefined();
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toMatch(/^Cannot read a session: its .*\. Delete the key; /);
    expect(warnings[0]).not.toContain('secret');
    expect(warnings[0]).not.toContain(id.slice(8));
    expect(String(warnings[0]).length).toBeLessThan(200);
  });

  it("is a SessionCorruptError with onCorrupt 'error'", async () => {
    const error = await strict.findById(id).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(SessionCorruptError);
    expect(error).not.toHaveProperty('cause');
    expect(warnings).toEqual([]);
  });

  it('can be deleted', async () => {
    await tolerant.deleteById(id);
    expect(await redis.client.exists(redis.keys.session(id))).toBe(0);
  });
});

describe('a session that gets corrupt after it was read', () => {
  it.each(corruptions)('by %s: a save is refused and writes nothing', async (_title, corrupt) => {
    const session = await tolerant.findById(id);
    const key = redis.keys.session(id);
    await corrupt(key);
    const before = await redis.client.dumpBuffer(key);
    session?.setAttribute('cart', []);
    session?.changeSessionId();
    await expect(session?.save()).rejects.toThrow(SessionInvalidatedError);
    expect(await redis.client.dumpBuffer(key)).toEqual(before);
    expect(await redis.client.exists(redis.keys.session(session?.id ?? ''))).toBe(0);
  });
});

describe('an attribute with bytes that are no text', () => {
  const bytes = Buffer.concat([Buffer.from('"'), Buffer.from([255, 254]), Buffer.from('"')]);

  beforeEach(async () => {
    await redis.client.hset(redis.keys.session(id), 'sessionAttr:cart', bytes);
  });

  it('does not hold up an update, which overwrites it', async () => {
    const session = await tolerant.findById(id);
    expect(await session?.update('cart', () => ['new'])).toEqual(['new']);
    expect((await tolerant.findById(id))?.getAttribute('cart')).toEqual(['new']);
  });

  it('does not make an update of another attribute lose what was stored meanwhile', async () => {
    const [session, other] = [await tolerant.findById(id), await tolerant.findById(id)];
    const increment = (count = 0): number => count + 1;
    await other?.update('count', increment);
    void session?.update('cart', () => ['new']);
    void session?.update('count', increment);
    await session?.save();
    const stored = await tolerant.findById(id);
    expect(stored?.getAttribute('count')).toBe(2);
    expect(stored?.getAttribute('cart')).toEqual(['new']);
  });
});

describe('an attribute whose name is no text', () => {
  it('does not hold up an update', async () => {
    const session = await tolerant.findById(id);
    void session?.update('\ud800', () => 1);
    await session?.save();
    const again = await tolerant.findById(id);
    void again?.update('\ud800', () => 2);
    await again?.save();
    expect((await tolerant.findById(id))?.getAttribute('\ufffd')).toBe(2);
  });
});

describe('an attribute of 1 MB', () => {
  it('is read and written', async () => {
    const session = await tolerant.findById(id);
    session?.setAttribute('big', 'x'.repeat(1_000_000));
    await session?.save();
    expect((await tolerant.findById(id))?.getAttribute<string>('big')).toHaveLength(1_000_000);
  });
});

describe('a field that is none of ours', () => {
  it('is ignored and kept', async () => {
    const key = redis.keys.session(id);
    await redis.client.hset(key, 'foreign', 'x');
    const session = await tolerant.findById(id);
    expect(session?.attributeNames).toEqual(['cart']);
    session?.setAttribute('second', 2);
    await session?.save();
    expect(await redis.client.hget(key, 'foreign')).toBe('x');
  });
});
