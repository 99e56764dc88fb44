import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Cluster } from 'ioredis';
import { RedisIndexedSessionRepository, RedisSessionRepository } from 'nestjs-redis-session/store';
import { SessionInvalidatedError } from 'nestjs-redis-session';
import { BlobSessionRepository } from '../../libs/redis-session/src/migration/blob-session-repository.js';
import { MigratingSessionRepository } from '../../libs/redis-session/src/migration/migrating-session-repository.js';
import { SessionBlobCommands } from '../../libs/redis-session/src/migration/session-blob.commands.js';
import { type RedisClient } from '../../libs/redis-session/src/redis/client/redis-client.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import { type RedisCluster, startRedisCluster } from '../support/redis/redis-cluster.js';
import { useTestRedis } from '../support/redis/test-redis.js';

const COOKIE = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' };

/** Reads of blobs call `afterRead` before anybody else can act: what happens there happens between read and write. */
class InterruptedCommands extends SessionBlobCommands {
  afterRead: (() => Promise<void>) | undefined;

  override async read(key: string): Promise<string | undefined> {
    const text = await super.read(key);
    const interruption = this.afterRead;
    this.afterRead = undefined;
    await interruption?.();
    return text;
  }
}

function makeRepository(
  client: RedisClient,
  {
    phase,
    keyPrefix,
    kind = 'default',
  }: { phase: 'share' | 'move'; keyPrefix: string; kind?: string },
) {
  const namespace = keyPrefix.slice(0, -1);
  const current =
    kind === 'indexed'
      ? new RedisIndexedSessionRepository(client, { namespace })
      : new RedisSessionRepository(client, { namespace });
  const commands = new InterruptedCommands(client, 2000);
  const layout = {
    ...{ cookieMaxAgeSeconds: null, cookieSettings: COOKIE, keyPrefix, ttlSeconds: 86_400 },
    maxAgeSeconds: 34_560_000,
    secrets: ['a secret of the application that was there before'],
  };
  const deleteMoved = (id: string) => current.deleteById(id);
  const options = DEFAULT_REPOSITORY_OPTIONS;
  const counts = { moved: 0 };
  const repository = new MigratingSessionRepository({
    ...{ commands, current, layout, phase, maxInactiveIntervalSeconds: 1800 },
    former: new BlobSessionRepository({ commands, deleteMoved, layout, options }),
    onCorrupt: 'new-session',
    onMoved: () => {
      counts.moved++;
    },
    onUnmovable: () => undefined,
  });
  return { repository, current, commands, counts };
}

describe('MigratingSessionRepository', () => {
  const redis = useTestRedis();
  const keyPrefix = `${redis.namespace}:sess:`;

  async function store(attributes: object): Promise<string> {
    const id = randomUUID();
    const text = JSON.stringify({ cookie: COOKIE, ...attributes });
    await redis.client.set(keyPrefix + id, text, 'EX', 86_400);
    return id;
  }

  const mover = (kind?: string) =>
    makeRepository(redis.client, { phase: 'move', keyPrefix, ...(kind && { kind }) });
  const sharer = () => makeRepository(redis.client, { phase: 'share', keyPrefix });

  it('moves a session to what it was changed to while it was copied', async () => {
    const id = await store({ cart: ['tea'] });
    const { repository, commands, counts } = mover();
    const later = JSON.stringify({ cookie: COOKIE, cart: ['tea', 'milk'] });
    commands.afterRead = async () => {
      await redis.client.set(keyPrefix + id, later);
    };
    const session = await repository.findById(id);
    expect(session?.getAttribute('cart')).toEqual(['tea', 'milk']);
    expect(counts.moved).toBe(1);
    expect(await redis.client.keys(`${keyPrefix.slice(0, -1)}:sessions:*`)).toHaveLength(1);
  });

  it('moves a session once when two find it at the same time', async () => {
    const id = await store({ cart: ['tea'] });
    const [slow, quick] = [mover(), mover()];
    slow.commands.afterRead = async () => {
      const session = await quick.repository.findById(id);
      session?.setAttribute('cart', ['milk']);
      await session?.save();
    };
    const session = await slow.repository.findById(id);
    expect(session?.getAttribute('cart')).toEqual(['milk']);
    expect([slow.counts.moved, quick.counts.moved]).toEqual([0, 1]);
  });

  it('does not bring back a session that ends while it is copied', async () => {
    const id = await store({ cart: ['tea'] });
    const { repository, commands, current } = mover();
    const ids: string[] = [];
    const save = current.save.bind(current);
    current.save = async (session) => {
      ids.push(session.id);
      await save(session);
    };
    commands.afterRead = async () => {
      await redis.client.del(keyPrefix + id);
    };
    expect(await repository.findById(id)).toBeUndefined();
    expect(await current.findById(ids[0] ?? '')).toBeUndefined();
  });

  it('has the indexed repository keep what it moves', async () => {
    const id = await store({ cart: ['tea'] });
    const { repository, current } = mover('indexed');
    const session = await repository.findById(id);
    expect(await current.findById(session?.id ?? '')).toBeDefined();
    expect((await repository.findById(id))?.id).toBe(session?.id);
  });

  it('shares a session without losing what others change meanwhile', async () => {
    const id = await store({ cart: ['tea'], views: 1 });
    const [slow, quick] = [sharer(), sharer()];
    const session = await slow.repository.findById(id);
    session?.setAttribute('views', 2);
    slow.commands.afterRead = async () => {
      const other = await quick.repository.findById(id);
      other?.setAttribute('cart', ['milk']);
      if (other) await quick.repository.save(other);
    };
    await slow.repository.save(session!);
    const stored = JSON.parse((await redis.client.get(keyPrefix + id)) ?? '') as object;
    expect(stored).toMatchObject({ cart: ['milk'], views: 2 });
  });

  it('updates a shared attribute from its latest value', async () => {
    const id = await store({ views: 1 });
    const [slow, quick] = [sharer(), sharer()];
    const increment = (views = 0) => views + 1;
    const session = await slow.repository.findById(id);
    void session!.update<number>('views', increment);
    slow.commands.afterRead = async () => {
      const other = await quick.repository.findById(id);
      void other!.update<number>('views', increment);
      await quick.repository.save(other!);
    };
    await slow.repository.save(session!);
    expect(await redis.client.get(keyPrefix + id)).toContain('"views":3');
  });

  it('saves a shared session where it is when it was moved meanwhile', async () => {
    const id = await store({ cart: ['tea'] });
    const { repository } = sharer();
    const session = await repository.findById(id);
    await mover().repository.findById(id);
    session?.setAttribute('views', 2);
    await repository.save(session!);
    const moved = await mover().repository.findById(id);
    expect([moved?.getAttribute('cart'), moved?.getAttribute('views')]).toEqual([['tea'], 2]);
  });

  it('ends a shared session where it is when it was moved meanwhile', async () => {
    const id = await store({ cart: ['tea'] });
    const { repository } = sharer();
    const session = await repository.findById(id);
    const moved = await mover().repository.findById(id);
    await repository.invalidate(session!);
    expect(await mover().repository.findById(id)).toBeUndefined();
    expect(await mover().repository.findById(moved?.id ?? '')).toBeUndefined();
  });

  it('brings no shared session back that has ended', async () => {
    const id = await store({ cart: ['tea'] });
    const { repository, commands } = sharer();
    const session = await repository.findById(id);
    session?.setAttribute('views', 2);
    commands.afterRead = async () => {
      await redis.client.del(keyPrefix + id);
    };
    await expect(repository.save(session!)).rejects.toThrow(SessionInvalidatedError);
    expect(await redis.client.exists(keyPrefix + id)).toBe(0);
  });

  it('gives a shared session another id, and the old one is dead', async () => {
    const id = await store({ cart: ['tea'] });
    const { repository } = sharer();
    const session = await repository.findById(id);
    session?.changeSessionId();
    await repository.save(session!);
    expect(await redis.client.exists(keyPrefix + id)).toBe(0);
    const found = await sharer().repository.findById(session!.id);
    expect(found?.getAttribute('cart')).toEqual(['tea']);
  });
});

describe('MigratingSessionRepository on a Redis Cluster', () => {
  let servers: RedisCluster;
  let client: Cluster;

  beforeAll(async () => {
    servers = await startRedisCluster();
    client = new Cluster([...servers.addresses]);
  });

  afterAll(async () => {
    await client.quit();
    await servers.stop();
  });

  it('shares and moves sessions whose keys are on different servers', async () => {
    const keyPrefix = 'sess:';
    const share = makeRepository(client, { phase: 'share', keyPrefix });
    const move = makeRepository(client, { phase: 'move', keyPrefix });
    for (let n = 0; n < 50; n++) {
      const session = share.repository.createSession();
      session.setAttribute('n', n);
      await share.repository.save(session);
      const moved = await move.repository.findById(session.id);
      expect(moved?.getAttribute('n')).toBe(n);
      expect((await share.repository.findById(session.id))?.id).toBe(moved?.id);
    }
    expect(move.counts.moved).toBe(50);
  });
});
