import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import {
  closeRedisClient,
  createRedisClient,
  type RedisClient,
} from '../../../libs/redis-session/src/redis/client/redis-client.js';
import { RedisSessionRepository } from '../../../libs/redis-session/src/redis/sessions/redis-session-repository.js';
import { RedisSessionCommands } from '../../../libs/redis-session/src/redis/sessions/redis-session.commands.js';
import { redisSessionKeys } from '../../../libs/redis-session/src/redis/sessions/redis-session.mapper.js';
import { type SaveOutcome } from '../../../libs/redis-session/src/session/session-change.js';
import { SessionStoreError } from '../../../libs/redis-session/src/session/session.errors.js';
import { eventually } from '../../support/waiting/eventually.js';
import { startRedis } from '../../support/redis/redis-server.js';

const TIMEOUT_MS = 1000;

let server: Awaited<ReturnType<typeof startRedis>>;
let client: RedisClient;
let observer: Redis;
let repository: RedisSessionRepository;
let id: string;

beforeEach(async () => {
  server = await startRedis();
  client = createRedisClient(server.url, TIMEOUT_MS).client;
  await client.connect();
  observer = new Redis(server.url, { lazyConnect: true, maxRetriesPerRequest: null });
  observer.on('error', () => undefined);
  await observer.connect();
  repository = new RedisSessionRepository(client, { commandTimeoutMs: TIMEOUT_MS });
  const session = repository.createSession();
  session.setAttribute('count', 1);
  session.setAttribute('secret', 'secret-4711');
  await session.save();
  id = session.id;
});

afterEach(async () => {
  jest.restoreAllMocks();
  client.disconnect();
  observer.disconnect();
  await server.stop();
});

/** All keys and hashes as they are. */
async function content(): Promise<Record<string, unknown>> {
  const keys = (await observer.keys('*')).sort();
  return Object.fromEntries(
    await Promise.all(keys.map(async (key) => [key, await observer.hgetall(key)] as const)),
  );
}

async function errorOf(action: Promise<unknown>): Promise<unknown> {
  return action.then(
    () => 'no error',
    (error: unknown) => error,
  );
}

describe('when Redis hangs', () => {
  it('each command fails within its deadline, with an error that reveals nothing', async () => {
    const session = await repository.findById(id);
    session?.setAttribute('secret', 'secret-4712');
    await server.kill('SIGSTOP');
    const errors = await Promise.all([
      errorOf(repository.findById(id)),
      errorOf(session?.save() ?? Promise.resolve()),
      errorOf(repository.deleteById(id)),
    ]);
    await server.kill('SIGCONT');
    for (const error of errors) {
      expect(error).toBeInstanceOf(SessionStoreError);
      expect(String(error)).toContain(`no answer within ${TIMEOUT_MS} ms`);
      expect(inspect(error, { depth: 9 })).not.toMatch(/secret-471/);
      expect(inspect(error, { depth: 9 })).not.toContain(id.slice(8));
    }
  });

  it('what has timed out changes nothing when Redis goes on', async () => {
    const [changed, updated, moved] = [
      await repository.findById(id),
      await repository.findById(id),
      await repository.findById(id),
    ];
    const before = await content();
    await server.kill('SIGSTOP');
    changed?.setAttribute('count', 100);
    void updated?.update('count', () => 200);
    moved?.changeSessionId();
    const created = repository.createSession();
    created.setAttribute('count', 300);
    const writes = [changed?.save(), updated?.save(), moved?.save(), created.save()];
    const errors = await Promise.all(writes.map((write) => errorOf(write ?? Promise.resolve())));
    expect(errors.map((error) => error instanceof SessionStoreError)).toEqual(Array(4).fill(true));
    await server.kill('SIGCONT');
    // The first is behind all that was sent while Redis hung, the second behind all that an answer to it led to.
    for (let n = 0; n < 2; n++) await eventually(async () => Boolean(await client.ping()));
    expect(await content()).toEqual(before);
  });

  it('a deletion that has timed out may still happen when Redis goes on', async () => {
    await server.kill('SIGSTOP');
    expect(await errorOf(repository.deleteById(id))).toBeInstanceOf(SessionStoreError);
    await server.kill('SIGCONT');
    await eventually(async () => !(await repository.findById(id)));
  });

  it('a save that has timed out keeps its changes and can be done again', async () => {
    const session = await repository.findById(id);
    session?.setAttribute('count', 2);
    const newId = session?.changeSessionId() ?? '';
    await server.kill('SIGSTOP');
    await expect(session?.save()).rejects.toThrow(SessionStoreError);
    await server.kill('SIGCONT');
    await eventually(async () => Boolean(await client.ping()));
    expect(session?.hasChanges).toBe(true);
    await session?.save();
    expect((await repository.findById(newId))?.getAttribute('count')).toBe(2);
    expect(await repository.findById(id)).toBeUndefined();
  });
});

describe.each([
  ['an hour ahead of', 3_600_000],
  ['an hour behind', -3_600_000],
])('when our clock is %s that of Redis', (_title, shiftMs) => {
  let commands: RedisSessionCommands;
  let key: string;
  const options = { absoluteTimeoutMs: -1, sharedCommands: true, commandTimeoutMs: TIMEOUT_MS };
  const hash = { creationTime: '', maxInactiveInterval: '', remove: [], updates: [] };

  /** Sets the attribute `count`, by the class that knows the clock of Redis only from its answers. */
  function save(count: number): Promise<SaveOutcome> {
    return commands.saveSession({
      storedKey: key,
      currentKey: key,
      markKeyOf: () => key,
      hash: { ...hash, lastAccessedTime: '1', set: ['sessionAttr:count', String(count)] },
      isAccessRecorded: false,
    });
  }

  beforeEach(() => {
    const realNow = Date.now.bind(Date);
    jest.spyOn(Date, 'now').mockImplementation(() => realNow() + shiftMs);
    commands = new RedisSessionCommands(client, options);
    key = redisSessionKeys('nest:session').session(id);
  });

  it('sessions are saved and deleted', async () => {
    expect(await save(2)).toEqual({ kind: 'saved' });
    expect(await observer.hget(key, 'sessionAttr:count')).toBe('2');
    commands = new RedisSessionCommands(client, options);
    await commands.deleteSession(key);
    expect(await observer.exists(key)).toBe(0);
  });

  it('what has timed out changes nothing when Redis goes on', async () => {
    await save(2);
    await server.kill('SIGSTOP');
    await expect(save(3)).rejects.toThrow(SessionStoreError);
    await server.kill('SIGCONT');
    for (let n = 0; n < 2; n++) await eventually(async () => Boolean(await client.ping()));
    expect(await observer.hget(key, 'sessionAttr:count')).toBe('2');
  });
});

describe('when Redis is gone', () => {
  it('commands fail at once, and succeed when it is back, without a restart', async () => {
    const session = await repository.findById(id);
    session?.setAttribute('count', 2);
    const port = server.port;
    await server.stop();
    await eventually(() => Promise.resolve(client.status !== 'ready'));
    const timers = [
      errorOf(repository.findById(id)),
      errorOf(session?.save() ?? Promise.resolve()),
      errorOf(repository.deleteById(id)),
    ];
    for (const error of await Promise.all(timers)) {
      expect(error).toBeInstanceOf(SessionStoreError);
      // The second while the first attempt to connect again is under way.
      expect(String(error)).toMatch(/Stream isn't writeable|max retries per request/);
      expect(inspect(error, { depth: 9 })).not.toContain(id.slice(8));
    }
    server = await startRedis({ port });
    await eventually(async () => Boolean(await client.ping()));
    const fresh = repository.createSession();
    fresh.setAttribute('count', 1);
    await fresh.save();
    expect((await repository.findById(fresh.id))?.getAttribute('count')).toBe(1);
  });

  it('scripts that it has forgotten are sent again', async () => {
    await observer.script('FLUSH');
    expect((await repository.findById(id))?.getAttribute('count')).toBe(1);
  });
});

describe('when Redis refuses', () => {
  it('the error says why and reveals nothing', async () => {
    await observer.config('SET', 'maxmemory', '1');
    const session = await repository.findById(id);
    session?.setAttribute('secret', 'secret-4712');
    const error = await errorOf(session?.save() ?? Promise.resolve());
    expect(error).toBeInstanceOf(SessionStoreError);
    expect(String(error)).toContain('OOM command not allowed');
    expect(inspect(error, { depth: 9 })).not.toMatch(/secret-471|sessions:/);
  });

  it('an unknown command is not quoted with its arguments', async () => {
    await observer.call('ACL', 'SETUSER', 'default', '-eval', '-evalsha');
    const error = await errorOf(repository.findById(id));
    expect(error).toBeInstanceOf(SessionStoreError);
    expect(inspect(error, { depth: 9 })).not.toContain(id.slice(8));
  });
});

describe('closeRedisClient', () => {
  it('waits for the commands under way', async () => {
    const session = await repository.findById(id);
    session?.setAttribute('count', 7);
    const saved = session?.save();
    // The save sends its command in a microtask.
    await Promise.resolve().then(() => undefined);
    const closed = closeRedisClient(client, 1000);
    await Promise.all([saved, closed]);
    expect(JSON.stringify(await content())).toContain('"sessionAttr:count":"7"');
    expect(client.status).toBe('end');
  });

  it('does not wait for a Redis that hangs or is gone', async () => {
    await server.kill('SIGSTOP');
    await closeRedisClient(client, 50);
    await server.kill('SIGCONT');
    await eventually(() => Promise.resolve(client.status === 'end'));
  });
});
