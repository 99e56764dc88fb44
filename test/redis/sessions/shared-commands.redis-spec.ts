import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { execa } from 'execa';
import { type Redis } from 'ioredis';
import { type MapSession } from '../../../libs/redis-session/src/session/map-session.js';
import { createRedisClient } from '../../../libs/redis-session/src/redis/client/redis-client.js';
import { RedisIndexedSessionRepository } from '../../../libs/redis-session/src/redis/indexed/redis-indexed-session-repository.js';
import { RedisSessionRepository } from '../../../libs/redis-session/src/redis/sessions/redis-session-repository.js';
import { eventually } from '../../support/waiting/eventually.js';
import { recordCommands } from '../../support/redis/redis-monitor.js';
import { startRedis } from '../../support/redis/redis-server.js';

const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function open(url: string): Redis {
  const { client } = createRedisClient(url, 2000);
  endings.push(() => client.disconnect());
  return client as Redis;
}

const numbered = (count: number) => Array.from({ length: count }, (_, number) => number);

type Repository = RedisSessionRepository | RedisIndexedSessionRepository;

/** @returns the ids of `count` sessions whose attribute `number` counts from 0 */
async function storeSessions(repository: Repository, count: number): Promise<string[]> {
  const sessions = numbered(count).map((number) => {
    const session = repository.createSession();
    session.setAttribute('number', number);
    return session;
  });
  for (const session of sessions) await session.save();
  return sessions.map(({ id }) => id);
}

function findAll(repository: Repository, ids: readonly string[], accessTimeMs?: number) {
  const options = accessTimeMs === undefined ? {} : { accessTimeMs };
  return Promise.all(ids.map((id) => repository.findById(id, options)));
}

function saveAll(sessions: readonly (MapSession | undefined)[]) {
  return Promise.allSettled(sessions.flatMap((session) => session?.save() ?? []));
}

const numberOf = (session: MapSession | undefined) => session?.getAttribute('number');

describe.each([
  ['default', (client: Redis) => new RedisSessionRepository(client)],
  ['indexed', (client: Redis) => new RedisIndexedSessionRepository(client)],
])(
  'reads of the %s repository that begin together',
  (_name, create: (client: Redis) => Repository) => {
    let url: string;
    let client: Redis;
    let repository: Repository;

    beforeEach(async () => {
      const server = await startRedis();
      endings.push(() => server.stop());
      url = server.url;
      client = open(url);
      await client.connect();
      repository = create(client);
    });

    it('share a command for 16 of them, and each gets its own session', async () => {
      const ids = await storeSessions(repository, 40);
      const commands = await recordCommands(url);
      endings.push(() => commands.stop());
      const accessTimeMs = Date.now() + 5;
      const otherProcess = create(client);
      const found = await findAll(otherProcess, ids, accessTimeMs);
      expect(found.map(numberOf)).toEqual(numbered(40));
      expect(found.map((session) => session?.lastAccessedTime.getTime())).toEqual(
        Array(40).fill(accessTimeMs),
      );
      expect((await commands.take()).map(([name]) => name?.slice(0, 4))).toEqual(
        Array(3).fill('eval'),
      );
      const again = await findAll(repository, ids);
      expect(again.map((session) => session?.lastAccessedTime.getTime())).toEqual(
        Array(40).fill(accessTimeMs),
      );
    });

    it('are plain reads in the second after a save, which has recorded the access', async () => {
      const ids = await storeSessions(repository, 2);
      const commands = await recordCommands(url);
      endings.push(() => commands.stop());
      const found = await findAll(repository, ids, Date.now());
      expect(found.map(numberOf)).toEqual(numbered(2));
      expect((await commands.take()).map(([name]) => name?.toLowerCase())).toEqual(
        Array(2).fill('hgetall'),
      );
    });

    it('do not suffer from one that is gone, one that has expired, and one that is no hash', async () => {
      const ids = await storeSessions(repository, 5);
      const keyOf = async (number: number) =>
        (await client.keys(`*${ids[number]?.slice(8)}`))[0] ?? '';
      await repository.deleteById(ids[0] ?? '');
      await client.hset(await keyOf(1), 'maxInactiveInterval', '0');
      const key = await keyOf(2);
      await client.del(key);
      await client.rpush(key, 'no hash');
      const found = await findAll(repository, ids, Date.now() + 1);
      expect(found.map(numberOf)).toEqual([undefined, undefined, undefined, 3, 4]);
    });

    describe('saves of attributes that begin together', () => {
      it('share a command for 16 of them, and each session gets what was set in it', async () => {
        const ids = await storeSessions(repository, 40);
        const sessions = await findAll(repository, ids);
        const commands = await recordCommands(url);
        endings.push(() => commands.stop());
        sessions.forEach((session, i) => session?.setAttribute('number', 100 + i));
        await saveAll(sessions);
        expect(await commands.take()).toHaveLength(3);
        const changed = await findAll(create(client), ids);
        expect(changed.map(numberOf)).toEqual(numbered(40).map((number) => 100 + number));
      });

      it('do not suffer from one that ends meanwhile, and it stays ended', async () => {
        const ids = await storeSessions(repository, 4);
        const sessions = await findAll(repository, ids);
        await create(client).deleteById(ids[1] ?? '');
        for (const session of sessions) session?.setAttribute('number', 7);
        const states = (await saveAll(sessions)).map(({ status }) => status);
        expect(states).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled']);
        expect((await findAll(create(client), ids)).map(numberOf)).toEqual([7, undefined, 7, 7]);
      });
    });
  },
);

describe('where one command may not read several sessions', () => {
  it('each is read by a command of its own: a server of a Redis Cluster, without a client for it', async () => {
    const server = await startRedis({ args: ['--cluster-enabled', 'yes'] });
    endings.push(() => server.stop());
    await execa('redis-cli', ['-p', `${server.port}`, 'cluster', 'addslotsrange', '0', '16383']);
    const client = open(server.url);
    await client.connect();
    await eventually(async () => (await client.cluster('INFO')).includes('cluster_state:ok'));
    const repository = new RedisSessionRepository(client);
    const ids = await storeSessions(repository, 20);
    expect((await findAll(repository, ids)).map(numberOf)).toEqual(numbered(20));
    const commands = await recordCommands(server.url);
    endings.push(() => commands.stop());
    expect((await findAll(repository, ids)).map(numberOf)).toEqual(numbered(20));
    expect(await commands.take()).toHaveLength(20);
  });

  it("each is read and saved by a command of its own with 'sharedCommands: false'", async () => {
    const server = await startRedis();
    endings.push(() => server.stop());
    const client = open(server.url);
    await client.connect();
    const repository = new RedisSessionRepository(client, { sharedCommands: false });
    const ids = await storeSessions(repository, 20);
    const commands = await recordCommands(server.url);
    endings.push(() => commands.stop());
    const sessions = await findAll(repository, ids);
    expect(sessions.map(numberOf)).toEqual(numbered(20));
    expect(await commands.take()).toHaveLength(20);
    for (const session of sessions) session?.setAttribute('number', 7);
    await saveAll(sessions);
    expect(await commands.take()).toHaveLength(20);
  });
});
