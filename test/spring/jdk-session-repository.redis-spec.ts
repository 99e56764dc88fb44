import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type MapSession } from '../../libs/redis-session/src/session/map-session.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import {
  JdkSessionRepository,
  jdkCodec,
} from '../../libs/redis-session/src/spring/jdk/jdk-session-repository.js';
import { SpringContext } from '../../libs/redis-session/src/spring/spring-context.js';
import { useTestRedis } from '../support/redis/test-redis.js';

const redis = useTestRedis();
const users = { boot: 4, authorities: undefined, factor: undefined, principal: undefined } as const;

function repositoryIn(storesLogins: 'default' | 'indexed'): JdkSessionRepository {
  const csrf = { headerName: 'X-CSRF-TOKEN', parameter: '_csrf' };
  const context = new SpringContext(users, console);
  return new JdkSessionRepository(redis.client, {
    ...DEFAULT_REPOSITORY_OPTIONS,
    ...{ commandTimeoutMs: 2000, namespace: redis.namespace, sessionIdGenerator: randomUUID },
    ...{ codec: jdkCodec({ context, csrf, storesLogins: true }), storesLogins },
  });
}

describe.each(['default', 'indexed'] as const)(
  'sessions that are stored by Java serialization in the %s repository',
  (kind) => {
    async function stored(): Promise<string> {
      const session = repositoryIn(kind).createSession();
      session.setAttribute('count', 1);
      await session.save();
      return session.id;
    }

    async function read(id: string): Promise<MapSession> {
      const session = await repositoryIn(kind).findById(id);
      if (!session) throw new Error('There is no session.');
      return session;
    }

    it('lose no update of two requests at the same time', async () => {
      const id = await stored();
      const sessions = [await read(id), await read(id)];
      for (const session of sessions) {
        await session.update<number>('count', (count = 0) => count + 1);
        await session.update<number>('seen', (seen = 0) => seen + 1);
      }
      await Promise.all(sessions.map((session) => session.save()));
      const found = await read(id);
      expect([found.getAttribute('count'), found.getAttribute('seen')]).toEqual([3, 2]);
    });

    it('are not brought back by a request that has read them before they ended', async () => {
      const id = await stored();
      const session = await read(id);
      await redis.client.del(`${redis.namespace}:sessions:${id}`);
      session.setAttribute('count', 5);
      await session.save().catch(() => undefined);
      expect(await redis.client.exists(`${redis.namespace}:sessions:${id}`)).toBe(0);
    });

    it('keep their attributes under a new id, and lose those that are removed', async () => {
      const session = await read(await stored());
      session.setAttribute('gone', 'soon');
      await session.save();
      session.removeAttribute('gone');
      session.changeSessionId();
      await session.save();
      const found = await read(session.id);
      expect(found.attributeNames).toEqual(['count']);
    });
  },
);
