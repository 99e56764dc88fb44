import { describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { SessionOptionError } from 'nestjs-redis-session';
import { resolveIndexedSessionOptions } from '../../libs/redis-session/src/nest/options/redis-session.options.js';
import {
  DEFAULT_REPOSITORY_OPTIONS,
  type SessionRepositoryOptions,
} from '../../libs/redis-session/src/session/repository-options.js';
import { springCodec } from '../../libs/redis-session/src/spring/spring-attributes.js';
import { type SpringSessionCommands } from '../../libs/redis-session/src/spring/spring-session.commands.js';
import { SpringContext } from '../../libs/redis-session/src/spring/spring-context.js';
import { SpringIndexedSessionRepository } from '../../libs/redis-session/src/spring/spring-indexed-session-repository.js';
import { SpringSessionRepository } from '../../libs/redis-session/src/spring/spring-session-repository.js';
import { describePendingChanges } from '../../libs/redis-session/src/testing/contract/pending-changes.contract.js';
import { RepositoryUnderTest } from '../../libs/redis-session/src/testing/contract/repository-under-test.js';
import { describeSaveModes } from '../../libs/redis-session/src/testing/contract/save-modes.contract.js';
import { describeSpringCases } from '../../libs/redis-session/src/testing/contract/spring-cases.contract.js';
import { describeUpdates } from '../../libs/redis-session/src/testing/contract/updates.contract.js';
import { describeValues } from '../../libs/redis-session/src/testing/contract/values.contract.js';
import { useTestRedis } from '../support/redis/test-redis.js';

type Options = Partial<SessionRepositoryOptions>;

const redis = useTestRedis();
const users = { boot: 4, authorities: undefined, factor: undefined, principal: undefined } as const;

function optionsOf(options: Options) {
  const csrf = { headerName: 'X-CSRF-TOKEN', parameter: '_csrf' };
  return {
    ...DEFAULT_REPOSITORY_OPTIONS,
    codec: springCodec(new SpringContext(users, console), csrf),
    commandTimeoutMs: 2000,
    namespace: redis.namespace,
    sessionIdGenerator: randomUUID,
    ...options,
  };
}

const REPOSITORIES = {
  SpringSessionRepository: (options: Options) =>
    new SpringSessionRepository(redis.client, optionsOf(options)),
  SpringIndexedSessionRepository: (options: Options) => {
    const indexed = resolveIndexedSessionOptions({});
    return new SpringIndexedSessionRepository(redis.client, { ...optionsOf(options), indexed });
  },
};

describe.each(Object.entries(REPOSITORIES))('%s', (_name, factory) => {
  describeSpringCases(factory);
  describePendingChanges(factory);
  describeUpdates(factory);
  describeSaveModes(factory);
  describeValues(factory);

  it('ends a session at the instant at which its idle time is over', async () => {
    const test = new RepositoryUnderTest(factory);
    const id = await test.store();
    test.nowMs += 1_800_000 - 1;
    expect(await test.exists(id)).toBe(true);
    test.nowMs += 1;
    expect(await test.exists(id)).toBe(false);
  });

  it('records an access with the read, and lets the session live longer', async () => {
    const test = new RepositoryUnderTest(factory);
    const id = await test.store();
    test.pass(1700);
    await test.repository.findById(id, { accessTimeMs: test.nowMs });
    test.pass(1799);
    expect(await test.exists(id)).toBe(true);
    test.pass(1);
    expect(await test.exists(id)).toBe(false);
  });

  it.each([-1, 2 ** 31])(
    'refuses an idle time of %d, which Spring has no number for',
    async (seconds) => {
      const test = new RepositoryUnderTest(factory);
      const session = await test.find(await test.store());
      session.maxInactiveIntervalSeconds = seconds;
      await expect(session.save()).rejects.toThrow(
        new SessionOptionError(
          `maxInactiveIntervalSeconds must be from 1 to 2147483647 with springSession(), got ${seconds}: Spring deletes sessions that never end, and cannot read a greater number.`,
        ),
      );
      for (const right of [1, 2 ** 31 - 1]) {
        session.maxInactiveIntervalSeconds = right;
        await session.save();
      }
    },
  );

  it('leaves an ended session behind that no clock brings back', async () => {
    const test = new RepositoryUnderTest(factory);
    const id = await test.store();
    await test.repository.deleteById(id);
    test.nowMs -= 60_000;
    expect(await test.exists(id)).toBe(false);
    const hash = await redis.contentOf(`${redis.namespace}:sessions:${id}`);
    const { ended, maxInactiveInterval } = hash.fields;
    expect(ended === JSON.stringify(id) || maxInactiveInterval === '0').toBe(true);
    expect(hash.ttlMs).toBeLessThanOrEqual(300_000);
  });

  it('finds no session in what Java serialization has written, and tells which bean is missing', async () => {
    const test = new RepositoryUnderTest(factory);
    const id = randomUUID();
    const javaLong = Buffer.from('aced00057372000e6a6176612e6c616e672e4c6f6e67', 'hex');
    await redis.client.hset(`${redis.namespace}:sessions:${id}`, 'creationTime', javaLong);
    expect(await test.exists(id)).toBe(false);
    expect(test.warnings).toEqual([
      'Cannot read a session: Spring writes it by Java serialization. Give the Spring application the bean springSessionDefaultRedisSerializer of docs/spring.md, or set springSession.serialization to "jdk".',
    ]);
  });

  it('writes no field that it does not share with Spring', async () => {
    const test = new RepositoryUnderTest(factory);
    const id = await test.store({ text: 'x'.repeat(50_000), list: [1] });
    await test.repository.findById(id, { accessTimeMs: test.nowMs + 1 });
    const { fields } = await redis.contentOf(`${redis.namespace}:sessions:${id}`);
    const times = ['creationTime', 'lastAccessedTime', 'maxInactiveInterval'];
    expect(Object.keys(fields).sort()).toEqual([...times, 'sessionAttr:list', 'sessionAttr:text']);
  });
});

describe('a session whose place a newer login at Nest has taken, and which Spring has given another id', () => {
  const MARK =
    'sessionAttr:org.springframework.session.security.SpringSessionBackedSessionInformation.EXPIRED';

  /** @returns the id of Spring */
  async function replacedAndRenamed(test: RepositoryUnderTest): Promise<string> {
    const [id, newId] = [await test.store(), randomUUID()];
    const { commands } = test.repository as unknown as { commands: SpringSessionCommands };
    await commands.replace(id, '', 'maximum-sessions');
    await redis.client.rename(commands.keys.session(id), commands.keys.session(newId));
    return newId;
  }

  it('is a session of nobody', async () => {
    const test = new RepositoryUnderTest(REPOSITORIES.SpringIndexedSessionRepository);
    const id = await replacedAndRenamed(test);
    expect(await test.exists(id)).toBe(true);
    const { fields } = await redis.contentOf(`${redis.namespace}:sessions:${id}`);
    expect(Object.keys(fields)).not.toContain(MARK);
  });

  it('ends when Spring marks it for a newer login there', async () => {
    const test = new RepositoryUnderTest(REPOSITORIES.SpringIndexedSessionRepository);
    const id = await replacedAndRenamed(test);
    await redis.client.hset(`${redis.namespace}:sessions:${id}`, MARK, 'true');
    expect(await test.exists(id)).toBe(false);
    const { fields } = await redis.contentOf(`${redis.namespace}:sessions:${id}`);
    expect(fields).toMatchObject({ [MARK]: 'true' });
  });
});
