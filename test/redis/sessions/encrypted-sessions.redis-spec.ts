import { beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes, randomUUID } from 'node:crypto';
import { type EncryptionOptions } from '../../../libs/redis-session/src/session/repository-options.js';
import { type OnceEventSource } from '../../../libs/redis-session/src/redis/events/once-event-source.js';
import { RedisIndexedSessionRepository } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.js';
import { RedisSessionRepository } from '../../../libs/redis-session/src/redis/sessions/redis-session-repository.js';
import { type SessionEvent } from '../../../libs/redis-session/src/session/session-event.js';
import { SessionCorruptError } from '../../../libs/redis-session/src/session/session.errors.js';
import { type StoredSessionRepository } from '../../../libs/redis-session/src/session/stored-session-repository.js';
import { contextOf, signIn } from '../../support/redis/indexed-repository.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

const newKey = () => randomBytes(32).toString('base64');
const redis = useTestRedis();
const [oldKey, key, indexKey] = [newKey(), newKey(), newKey()];
let namespace: string;
let warnings: string[];

beforeEach(() => {
  namespace = `${redis.namespace}:${randomUUID()}`;
  warnings = [];
});

const warn = (message: string) => void warnings.push(message);
const logger = { warn, error: warn };

const REPOSITORIES = {
  default: (encryption?: EncryptionOptions, options: object = {}) =>
    new RedisSessionRepository(redis.client, { encryption, logger, namespace, ...options }),
  indexed: (encryption?: EncryptionOptions, options: object = {}) =>
    new RedisIndexedSessionRepository(redis.client, {
      encryption: encryption && { indexKey, ...encryption },
      eventDelivery: 'once',
      logger,
      namespace,
      partitions: 1,
      ...options,
    }),
};

async function openSession(
  repository: StoredSessionRepository,
  attributes: object = { secret: 'cart' },
) {
  const session = repository.createSession();
  for (const [name, value] of Object.entries(attributes)) session.setAttribute(name, value);
  await repository.save(session);
  return session;
}

/** The key of the hash of a session. */
async function keyOf(id: string): Promise<string> {
  const keys = await redis.client.keys(`${namespace}:*sessions:*${id.slice(8)}`);
  return keys[0] ?? '';
}

describe.each(['default', 'indexed'] as const)('encryption with the %s repository', (kind) => {
  const create = REPOSITORIES[kind];
  const keys = [key];

  it('leaves no value and no user name in Redis', async () => {
    const session = await openSession(create({ keys }));
    signIn(session, 'alice');
    session.setAttribute('secret', 'diary');
    await session.save();
    expect(await redis.dump(namespace)).not.toMatch(/alice|cart|diary/);
    expect((await create({ keys }).findById(session.id))?.getAttribute('secret')).toBe('diary');
  });

  it('writes nothing when a session is only read', async () => {
    const { id } = await openSession(create({ keys }), { cart: { items: [1] } });
    const session = await create({ keys }).findById(id);
    expect(session?.getAttribute('cart')).toEqual({ items: [1] });
    expect(session?.hasChanges).toBe(false);
  });

  it('lists no attribute of its own', async () => {
    const { id } = await openSession(create({ keys }));
    expect((await create({ keys }).findById(id))?.attributeNames).toEqual(['secret']);
  });

  it('counts every update of parallel requests', async () => {
    const { id } = await openSession(create({ keys }), { count: 0 });
    const add = async () => {
      const session = await create({ keys }).findById(id);
      await session?.update<number>('count', (count = 0) => count + 1);
    };
    await Promise.all(Array.from({ length: 12 }, add));
    expect((await create({ keys }).findById(id))?.getAttribute('count')).toBe(12);
  });

  it('keeps an update whose value another request has set to the same meanwhile', async () => {
    const { id } = await openSession(create({ keys }), { count: 1 });
    const slow = (await create({ keys }).findById(id))!;
    void slow.update<number>('count', (count = 0) => count + 1);
    const quick = await create({ keys }).findById(id);
    quick?.setAttribute('count', 1);
    await quick?.save();
    await slow.save();
    expect((await create({ keys }).findById(id))?.getAttribute('count')).toBe(2);
  });

  it('opens after a changed id, with texts that were not written again', async () => {
    const session = await openSession(create({ keys }));
    const before = await redis.client.hget(await keyOf(session.id), 'sessionAttr:secret');
    session.changeSessionId();
    await session.save();
    expect(await redis.client.hget(await keyOf(session.id), 'sessionAttr:secret')).toBe(before);
    expect((await create({ keys }).findById(session.id))?.getAttribute('secret')).toBe('cart');
  });

  it('refuses an attribute with the name of the data key', async () => {
    const session = create({ keys }).createSession();
    session.setAttribute('DATA_KEY', 'mine');
    await expect(session.save()).rejects.toThrow('a name that the library uses itself');
  });

  describe('somebody who writes to Redis', () => {
    it.each([
      ['copies an attribute from another session', 'sessionAttr:secret', 'other'],
      ['copies an attribute to another name', 'sessionAttr:role', 'own'],
    ])('%s: it is absent', async (_what, field, from) => {
      const own = await openSession(create({ keys }), { secret: 'user', role: 'guest' });
      const other = await openSession(create({ keys }), { secret: 'admin' });
      const source = from === 'own' ? own.id : other.id;
      const stolen = await redis.client.hget(await keyOf(source), 'sessionAttr:secret');
      await redis.client.hset(await keyOf(own.id), field, stolen ?? '');
      const session = await create({ keys }).findById(own.id);
      const name = field.slice('sessionAttr:'.length);
      expect(session?.getAttribute(name)).toBeUndefined();
      expect(warnings).toEqual([
        expect.stringContaining(`Cannot decrypt the session attribute "${name}"`),
      ]);
      const strict = await create({ keys }, { onCorrupt: 'error' }).findById(own.id);
      expect(() => strict?.getAttribute(name)).toThrow(SessionCorruptError);
    });

    it.each([
      ['copies a whole session to another id', (hash: Record<string, string>) => hash],
      [
        'moves the creation time',
        (hash: Record<string, string>) => ({ ...hash, creationTime: '9999999999999' }),
      ],
      [
        'removes the data key',
        ({ 'sessionAttr:DATA_KEY': _key, ...hash }: Record<string, string>) => hash,
      ],
      [
        'cuts the data key off',
        (hash: Record<string, string>) => ({
          ...hash,
          'sessionAttr:DATA_KEY': (hash['sessionAttr:DATA_KEY'] ?? '').slice(0, 20),
        }),
      ],
    ])('%s: it is no session', async (what, change) => {
      const own = await openSession(create({ keys }), { secret: 'user' });
      const other = await openSession(create({ keys }), { secret: 'admin' });
      const source = what.startsWith('copies') ? other.id : own.id;
      const hash = change(await redis.client.hgetall(await keyOf(source)));
      const target = await keyOf(own.id);
      await redis.client.del(target);
      await redis.client.hset(target, hash);
      expect(await create({ keys }).findById(own.id)).toBeUndefined();
      expect(warnings.join()).toContain('Cannot read a session: it is not encrypted');
      await expect(create({ keys }, { onCorrupt: 'error' }).findById(own.id)).rejects.toThrow(
        SessionCorruptError,
      );
    });

    it.each([
      ['cuts a text off', (text: string) => text.slice(0, 12)],
      [
        'changes a character',
        (text: string) => `${text.slice(0, -3)}${text.at(-3) === 'A' ? 'B' : 'A'}${text.slice(-2)}`,
      ],
      ['writes plain text', () => '"admin"'],
      ['writes nothing', () => ''],
    ])('%s: the attribute is absent', async (_what, change) => {
      const { id } = await openSession(create({ keys }), { secret: 'user', cart: 'kept' });
      const hash = await keyOf(id);
      const text = (await redis.client.hget(hash, 'sessionAttr:secret')) ?? '';
      await redis.client.hset(hash, 'sessionAttr:secret', change(text));
      const session = await create({ keys }).findById(id);
      expect(session?.getAttribute('secret')).toBeUndefined();
      expect(session?.getAttribute('cart')).toBe('kept');
      expect(warnings.join()).not.toContain('admin');
    });

    it('swaps the data keys of two sessions: both are none', async () => {
      const ids = [await openSession(create({ keys })), await openSession(create({ keys }))].map(
        ({ id }) => id,
      );
      const hashes = await Promise.all(ids.map(keyOf));
      const dataKeys = await Promise.all(
        hashes.map((hash) => redis.client.hget(hash, 'sessionAttr:DATA_KEY')),
      );
      for (const [index, hash] of hashes.entries())
        await redis.client.hset(hash, 'sessionAttr:DATA_KEY', dataKeys[1 - index] ?? '');
      for (const id of ids) expect(await create({ keys }).findById(id)).toBeUndefined();
    });

    it('copies a session to another namespace with the same keys: it is none', async () => {
      const { id } = await openSession(create({ keys }));
      const source = await keyOf(id);
      namespace = `${redis.namespace}:${randomUUID()}`;
      const copy = (await openSession(create({ keys }))).id;
      const target = (await keyOf(copy))
        .replace(copy.slice(8), id.slice(8))
        .replace(copy.slice(0, 8), id.slice(0, 8));
      await redis.client.hset(target, await redis.client.hgetall(source));
      expect(await create({ keys }).findById(id)).toBeUndefined();
    });
  });

  describe('keys', () => {
    it('do not open sessions of another key', async () => {
      const { id } = await openSession(create({ keys: [oldKey] }));
      expect(await create({ keys }).findById(id)).toBeUndefined();
    });

    it('are replaced without a logout: a session that is only read gets the new one', async () => {
      const { id } = await openSession(create({ keys: [oldKey] }));
      const session = await create({ keys: [key, oldKey] }).findById(id);
      expect(session?.hasChanges).toBe(true);
      await session?.save();
      expect(session?.hasChanges).toBe(false);
      expect((await create({ keys }).findById(id))?.getAttribute('secret')).toBe('cart');
    });

    it('are replaced while another replica, which still prefers the old one, writes', async () => {
      const { id } = await openSession(create({ keys: [oldKey] }));
      const old = await create({ keys: [oldKey, key] }).findById(id);
      await (await create({ keys: [key, oldKey] }).findById(id))?.save();
      old?.setAttribute('late', 1);
      await old?.save();
      const session = await create({ keys }).findById(id);
      expect(['secret', 'late'].map((name) => session?.getAttribute(name))).toEqual(['cart', 1]);
    });
  });

  describe('rollout', () => {
    const read = { keys, rollout: 'read' } as const;
    const write = { keys, rollout: 'write' } as const;

    it('does not read plain sessions without it', async () => {
      const { id } = await openSession(create());
      expect(await create({ keys }).findById(id)).toBeUndefined();
    });

    it('writes plain sessions in step read, and encrypted ones in step write', async () => {
      const plain = await openSession(create(read));
      expect((await create().findById(plain.id))?.getAttribute('secret')).toBe('cart');
      const { id } = await openSession(create(write));
      for (const options of [{ keys }, read, write])
        expect((await create(options).findById(id))?.getAttribute('secret')).toBe('cart');
    });

    it('encrypts all attributes of a session that is only read', async () => {
      const { id } = await openSession(create(), { secret: 'cart', more: 'diary' });
      await (await create(write).findById(id))?.save();
      const values = await redis.client.hvals(await keyOf(id));
      expect(values.join()).not.toMatch(/cart|diary/);
      const session = await create({ keys }).findById(id);
      expect(['secret', 'more'].map((name) => session?.getAttribute(name))).toEqual([
        'cart',
        'diary',
      ]);
    });

    it('loses no change that is made while a session is encrypted', async () => {
      const { id } = await openSession(create(read), { count: 1, set: 'old', kept: 'yes' });
      const slow = (await create(read).findById(id))!;
      const converting = await create(write).findById(id);
      const quick = await create(read).findById(id);
      quick?.setAttribute('set', 'new');
      await quick?.save();
      await converting?.save();
      void slow.update<number>('count', (count = 0) => count + 1);
      slow.setAttribute('late', 'plain');
      await slow.save();
      await (await create(write).findById(id))?.save();
      const session = await create({ keys }).findById(id);
      const names = ['count', 'set', 'kept', 'late'];
      expect(names.map((name) => session?.getAttribute(name))).toEqual([2, 'new', 'yes', 'plain']);
      expect(warnings).toEqual([]);
    });

    it('lets two replicas encrypt the same session at once', async () => {
      const { id } = await openSession(create(), { count: 1, kept: 'yes' });
      const [one, two] = [await create(write).findById(id), await create(write).findById(id)];
      void one?.update<number>('count', (count = 0) => count + 1);
      void two?.update<number>('count', (count = 0) => count + 1);
      await Promise.all([one?.save(), two?.save()]);
      const session = await create({ keys }).findById(id);
      expect(['count', 'kept'].map((name) => session?.getAttribute(name))).toEqual([3, 'yes']);
    });
  });
});

describe('encryption with the indexed repository', () => {
  const create = REPOSITORIES.indexed;
  const keys = [key];

  async function logIn(encryption: EncryptionOptions | undefined, name: string, options = {}) {
    const session = create(encryption, options).createSession();
    signIn(session, name);
    await session.save();
    return session;
  }

  it('finds sessions by user, which Redis knows by an HMAC', async () => {
    const { id } = await logIn({ keys }, 'alice');
    await logIn({ keys }, 'bob');
    const { sessions, total } = await create({ keys }).findByPrincipalName('alice');
    expect([total, sessions.map((session) => session.id)]).toEqual([1, [id]]);
    expect(await redis.dump(namespace)).not.toMatch(/alice|bob/);
  });

  it('ends the other sessions of a user', async () => {
    const [own, other] = [await logIn({ keys }, 'alice'), await logIn({ keys }, 'alice')];
    const repository = create({ keys });
    const session = (await repository.findById(own.id))!;
    expect(await repository.endOthersOf(session, 'signed-out')).toBe(1);
    expect(await repository.findById(other.id)).toBeUndefined();
    expect(await repository.findById(own.id)).toBeDefined();
  });

  it('keeps the limit of sessions', async () => {
    const options = { maximumSessions: 1 };
    const first = await logIn({ keys }, 'alice', options);
    await logIn({ keys }, 'alice', options);
    expect(await create({ keys }).findById(first.id)).toBeUndefined();
  });

  it.each(['all', ['SECURITY_CONTEXT'] as string[]])(
    'tells handlers of events what Redis does not know (eventAttributes: %j)',
    async (eventAttributes) => {
      const session = await logIn({ keys }, 'alice', { eventAttributes });
      session.changeSessionId();
      await session.save();
      await session.invalidate();
      expect(await redis.dump(namespace)).not.toContain('alice');
      const events: SessionEvent[] = [];
      const source = create({ keys }).createEventSource({
        delivery: 'once',
        handler: (event) => void events.push(event),
        replicaName: 'a',
      }) as OnceEventSource;
      await source.poll();
      expect(events.map(({ type }) => type)).toEqual(['created', 'id-changed', 'deleted']);
      for (const { attributes, principalName } of events) {
        expect(principalName).toBe('alice');
        expect([...attributes]).toEqual([['SECURITY_CONTEXT', contextOf('alice')]]);
      }
    },
  );

  it('does not tell handlers what was copied into an event', async () => {
    await logIn({ keys }, 'alice');
    const { store } = create({ keys });
    const stream = store.keys.events(store.keys.partitions[0] ?? '');
    const [[, fields] = ['', []]] = await redis.client.xrange(stream, '-', '+');
    const at = fields.indexOf('sessionId');
    await redis.client.xadd(stream, '*', ...fields.with(at + 1, 'another0123456789'));
    const events: SessionEvent[] = [];
    const source = create({ keys }).createEventSource({
      delivery: 'once',
      handler: (event) => void events.push(event),
      replicaName: 'a',
    }) as OnceEventSource;
    await source.poll();
    expect(events.map(({ principalName }) => principalName)).toEqual(['alice', undefined]);
    expect(events[1]?.attributes.size).toBe(0);
  });

  it('finds and ends plain and encrypted sessions of a user in a rollout', async () => {
    const write = { keys, rollout: 'write' } as const;
    const plain = await logIn(undefined, 'alice');
    await logIn(write, 'alice');
    const converted = await logIn(undefined, 'alice');
    await (await create(write).findById(converted.id))?.save();
    const repository = create(write);
    expect((await repository.findByPrincipalName('alice')).total).toBe(3);
    const page = await repository.findByPrincipalName('alice', { offset: 2, limit: 5 });
    expect(page.sessions.map(({ id }) => id)).toEqual([plain.id]);
    const session = (await repository.findById(plain.id))!;
    expect(await repository.endOthersOf(session, 'signed-out')).toBe(2);
  });

  it('takes the encryption of a session for no login, which a limit could refuse', async () => {
    const options = { maximumSessions: 1, maximumSessionsPolicy: 'reject-login' };
    const { id } = await logIn(undefined, 'alice');
    await logIn({ keys, rollout: 'write' }, 'alice');
    const session = await create({ keys, rollout: 'write' }, options).findById(id);
    await session?.save();
    expect((await create({ keys }).findByPrincipalName('alice')).total).toBe(2);
  });

  it('needs a key for the index', () => {
    expect(() => create({ keys, indexKey: undefined })).toThrow(
      'encryption.indexKey must be given',
    );
  });
});
