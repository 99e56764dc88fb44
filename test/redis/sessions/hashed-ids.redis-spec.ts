import { beforeEach, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { RedisIndexedSessionRepository } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.js';
import { RedisSessionRepository } from '../../../libs/redis-session/src/redis/sessions/redis-session-repository.js';
import { type SessionRepositoryOptions } from '../../../libs/redis-session/src/session/repository-options.js';
import { storageIdOf } from '../../../libs/redis-session/src/session/session-id.js';
import { SessionInvalidatedError } from '../../../libs/redis-session/src/session/session.errors.js';
import { type StoredSessionRepository } from '../../../libs/redis-session/src/session/stored-session-repository.js';
import { signIn } from '../../support/redis/indexed-repository.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

type Phase = SessionRepositoryOptions['hashIds'];

const redis = useTestRedis();
let namespace: string;

beforeEach(() => {
  namespace = `${redis.namespace}:${randomUUID()}`;
});

const REPOSITORIES = {
  default: (hashIds: Phase) => new RedisSessionRepository(redis.client, { hashIds, namespace }),
  indexed: (hashIds: Phase) =>
    new RedisIndexedSessionRepository(redis.client, {
      eventDelivery: 'broadcast',
      hashIds,
      namespace,
      partitions: 1,
    }),
} satisfies Record<string, (hashIds: Phase) => StoredSessionRepository>;

async function openSession(repository: StoredSessionRepository, attributes: object = { n: 1 }) {
  const session = repository.createSession();
  for (const [name, value] of Object.entries(attributes)) session.setAttribute(name, value);
  await repository.save(session);
  return session;
}

describe.each(['default', 'indexed'] as const)('hashIds with the %s repository', (kind) => {
  const create = REPOSITORIES[kind];

  it('leaves no session id in Redis, through a login, a change and a logout', async () => {
    const repository = create(true);
    const session = await openSession(repository);
    const ids = [session.id];
    expect(await redis.dump(namespace)).not.toContain(session.id);
    signIn(session, 'alice');
    await session.save();
    ids.push(session.id);
    const read = await repository.findById(session.id, { accessTimeMs: Date.now() });
    read?.setAttribute('n', 2);
    await read?.save();
    const other = await openSession(repository);
    await other.invalidate();
    ids.push(other.id);
    const stored = await redis.dump(namespace);
    for (const id of ids) expect(stored).not.toContain(id.slice(8));
    expect(stored).toContain(storageIdOf(session.id).slice(8));
    expect((await repository.findById(session.id))?.getAttribute('n')).toBe(2);
  });

  it('gives the session the id that its client knows', async () => {
    const { id } = await openSession(create(true));
    expect((await create(true).findById(id))?.id).toBe(id);
  });

  it('knows a session by its storage id, which is no id that a client may send', async () => {
    const { id } = await openSession(create(true));
    expect((await create(true).findById(storageIdOf(id)))?.getAttribute('n')).toBe(1);
    expect(storageIdOf(id)[8]).toBe('=');
  });

  it('does not know the sessions of before without a rollout', async () => {
    const { id } = await openSession(create(false));
    expect(await create(true).findById(id)).toBeUndefined();
  });

  describe('rollout', () => {
    it('keeps a session in each step, on replicas of this and of the next one', async () => {
      const steps: Phase[] = [false, 'read', 'rename', true];
      const { id } = await openSession(create(false), { count: 0 });
      for (const [n, phase] of steps.entries()) {
        for (const replica of [phase, steps[n + 1] ?? phase, phase]) {
          if (phase === false && replica !== false) continue;
          const session = await create(replica).findById(id, { accessTimeMs: Date.now() });
          session?.setAttribute('count', session.getAttribute<number>('count')! + 1);
          await session?.save();
        }
      }
      expect((await create(true).findById(id))?.getAttribute('count')).toBeGreaterThan(8);
      const keys = await redis.client.keys(`${namespace}:*`);
      expect(keys.join()).not.toContain(id.slice(8));
    });

    it('renames a session that is only read', async () => {
      const { id } = await openSession(create(false));
      const session = await create('rename').findById(id, { accessTimeMs: Date.now() });
      expect(session?.hasChanges).toBe(true);
      await session?.save();
      expect(session?.hasChanges).toBe(false);
      expect((await create(true).findById(id))?.getAttribute('n')).toBe(1);
    });

    it('lets a request end well whose session is renamed meanwhile', async () => {
      const { id } = await openSession(create('read'));
      const slow = await create('read').findById(id);
      await (await create('rename').findById(id))?.save();
      slow?.setAttribute('slow', true);
      await slow?.save();
      expect((await create(true).findById(id))?.getAttribute('slow')).toBe(true);
    });

    it('lets a login end well whose session is renamed meanwhile', async () => {
      const { id } = await openSession(create('read'));
      const slow = (await create('read').findById(id))!;
      await (await create('rename').findById(id))?.save();
      signIn(slow, 'alice');
      await slow.save();
      expect(await create('read').findById(id)).toBeUndefined();
      expect((await create('rename').findById(slow.id))?.getAttribute('n')).toBe(1);
    });

    it.each(['read', 'rename'] as const)(
      'ends a session in step %s that is renamed before the logout',
      async (phase) => {
        const { id } = await openSession(create(false));
        const leaving = await create(phase).findById(id);
        const slow = await create('rename').findById(id);
        await (await create('rename').findById(id))?.save();
        await leaving?.invalidate();
        await expect(slow?.save()).rejects.toThrow(SessionInvalidatedError);
        expect(await create('rename').findById(id)).toBeUndefined();
      },
    );

    it('can go back from renaming to reading', async () => {
      const { id } = await openSession(create('rename'));
      const session = await create('read').findById(id);
      session?.setAttribute('n', 2);
      await session?.save();
      expect((await create('rename').findById(id))?.getAttribute('n')).toBe(2);
    });
  });
});

/** Runs `between` after the first of the commands that look for a session, or delete it. */
class SlowRepository extends RedisSessionRepository {
  between = (): Promise<void> => Promise.resolve();

  protected override async load(id: string, accessTimeMs?: number) {
    const stored = await super.load(id, accessTimeMs);
    await this.runOnce();
    return stored;
  }

  protected override async delete(id: string): Promise<void> {
    await super.delete(id);
    await this.runOnce();
  }

  private async runOnce(): Promise<void> {
    const run = this.between;
    this.between = () => Promise.resolve();
    await run();
  }
}

describe('a session that another replica renames', () => {
  const rename = async (id: string) => (await REPOSITORIES.default('rename').findById(id))?.save();

  it.each(['read', 'rename'] as const)(
    'is found by one that looks for it (%s)',
    async (hashIds) => {
      const { id } = await openSession(REPOSITORIES.default(false));
      const slow = new SlowRepository(redis.client, { hashIds, namespace });
      slow.between = () => rename(id);
      expect((await slow.findById(id))?.getAttribute('n')).toBe(1);
    },
  );

  it('does not survive its end, even if the rename began before', async () => {
    const { id } = await openSession(REPOSITORIES.default(false));
    const renamed = await REPOSITORIES.default('rename').findById(id);
    const slow = new SlowRepository(redis.client, { hashIds: 'rename', namespace });
    slow.between = async () => {
      await renamed?.save().catch(() => undefined);
    };
    await slow.deleteById(id);
    expect(await REPOSITORIES.default('rename').findById(id)).toBeUndefined();
  });
});

describe('hashIds with the indexed repository', () => {
  const create = REPOSITORIES.indexed;

  async function logIn(hashIds: Phase, name: string) {
    const session = create(hashIds).createSession();
    signIn(session, name);
    await session.save();
    return session;
  }

  it('finds and ends sessions of a user by storage ids, and spares the own one', async () => {
    const repository = create(true);
    const [own, other] = [await logIn(true, 'alice'), await logIn(true, 'alice')];
    const { sessions } = await repository.findByPrincipalName('alice');
    expect(sessions.map(({ id }) => id).sort()).toEqual(
      [own, other].map(({ id }) => storageIdOf(id)).sort(),
    );
    expect(await repository.endByPrincipalName('alice', 'signed-out', own.id)).toBe(1);
    expect(await repository.findById(own.id)).toBeDefined();
    expect(await repository.takeEndReason(other.id)).toBe('signed-out');
  });

  it.each([false, 'read', 'rename'] as const)(
    'ends the sessions of a user in a rollout, however they are stored (%s)',
    async (before) => {
      const { id } = await logIn(before, 'alice');
      expect(await create('rename').endByPrincipalName('alice', 'signed-out')).toBe(1);
      expect(await create('rename').findById(id)).toBeUndefined();
      expect(await create('rename').takeEndReason(id)).toBe('signed-out');
    },
  );

  it('records no event when a session gets its hashed id, which would tell the id', async () => {
    const { id } = await logIn('read', 'alice');
    const [stream] = create(true).store.keys.partitions.map((p) =>
      create(true).store.keys.events(p),
    );
    await redis.client.del(stream!);
    await (await create('rename').findById(id))?.save();
    expect(await redis.client.xlen(stream!)).toBe(0);
    expect((await create(true).findByPrincipalName('alice')).total).toBe(1);
    expect(await redis.dump(namespace)).not.toContain(id.slice(8));
  });
});
