import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { type MapSession } from '../../libs/redis-session/src/session/map-session.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import {
  SessionEncodingError,
  SessionInvalidatedError,
} from '../../libs/redis-session/src/session/session.errors.js';
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

    const attributesOf = async (id: string) =>
      (await redis.client.hkeys(`${redis.namespace}:sessions:${id}`)).filter((field) =>
        field.startsWith('sessionAttr:'),
      );

    const changes: [string, (session: MapSession) => void][] = [
      ['set', (session) => session.setAttribute('other', 5)],
      ['update', (session) => void session.update<number>('other', (other = 0) => other + 1)],
      ['new id', (session) => void session.changeSessionId()],
    ];

    it.each(changes)(
      'are not brought back by a request that has read them before they ended: %s',
      async (_, change) => {
        const id = await stored();
        const session = await read(id);
        await repositoryIn(kind).deleteById(id);
        change(session);
        await expect(session.save()).rejects.toThrow(SessionInvalidatedError);
        expect(await repositoryIn(kind).findById(id)).toBeUndefined();
        expect(await repositoryIn(kind).findById(session.id)).toBeUndefined();
        const held = kind === 'default' ? [] : ['sessionAttr:count'];
        expect(await attributesOf(id)).toEqual(held);
      },
    );

    it('are not found under an earlier id, even when the clock of the client is late', async () => {
      const session = await read(await stored());
      const earlier = session.id;
      session.changeSessionId();
      await session.save();
      expect(await repositoryIn(kind).findById(earlier)).toBeUndefined();
      expect(await attributesOf(earlier)).toEqual([]);
      expect(await attributesOf(session.id)).toEqual(['sessionAttr:count']);
    });

    it('keep what only this library reads', async () => {
      const session = await read(await stored());
      session.setAttribute('REMEMBER_ME', { validitySeconds: 60 });
      await session.save();
      const found = await read(session.id);
      expect(found.getAttribute('REMEMBER_ME')).toEqual({ validitySeconds: 60 });
    });

    it('refuse an attribute that is larger than what is read', async () => {
      const session = await read(await stored());
      const save = async () => {
        session.setAttribute('large', '😀'.repeat(180_000));
        await session.save();
      };
      await expect(save()).rejects.toThrow(SessionEncodingError);
      expect((await read(session.id)).attributeNames).toEqual(['count']);
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
