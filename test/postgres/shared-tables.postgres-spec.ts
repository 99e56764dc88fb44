import { beforeAll, describe, expect, it } from '@jest/globals';
import { PostgresClient } from '../../libs/redis-session/src/postgres/postgres-client.js';
import { SharedPostgresSessionRepository } from '../../libs/redis-session/src/postgres/shared-postgres-session-repository.js';
import { sessionTables } from '../../libs/redis-session/src/postgres/session-tables.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import {
  type SessionSharing,
  principalNameOf,
} from '../../libs/redis-session/src/session/session-store.js';
import { describeIndexedSessionRepository } from '../../libs/redis-session/src/testing/contract/indexed-session-repository.contract.js';
import {
  IndexedRepositoryUnderTest,
  type IndexedFactoryOptions,
} from '../../libs/redis-session/src/testing/contract/indexed-repository-under-test.js';
import { describeSessionRepository } from '../../libs/redis-session/src/testing/contract/session-repository.contract.js';
import { INDEX_OPTIONS } from '../support/index-options.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';

const postgres = useTestPostgres();
let table: string;

beforeAll(async () => {
  table = await postgres.createTables();
});

/** Another program that has the same names as this library, and marks what it ends. */
const sharing: SessionSharing = {
  replacedMark: 'REPLACED',
  principalName: principalNameOf,
  fromStored: (stored) => (stored.attributes.get('REPLACED') === 'true' ? undefined : stored),
  toStored: (change) => change,
  ownNameOf: (name) => name,
  storedNameOf: (name) => name,
};

function createRepository(options: IndexedFactoryOptions): SharedPostgresSessionRepository {
  const client = new PostgresClient(postgres.pool, 10_000);
  const all = { ...DEFAULT_REPOSITORY_OPTIONS, commandTimeoutMs: 2000, ...options };
  return new SharedPostgresSessionRepository(client, sessionTables(table), all, sharing);
}

describeSessionRepository('SharedPostgresSessionRepository', (options) =>
  createRepository({ ...options, indexed: INDEX_OPTIONS }),
);

describeIndexedSessionRepository('SharedPostgresSessionRepository', createRepository);

describe('a session that the other program has marked as ended', () => {
  it('is neither ended once more nor counted when the sessions of its user are ended', async () => {
    const test = new IndexedRepositoryUnderTest(createRepository);
    const user = `bob-${table}`;
    const own = await test.open(user);
    const marked = await test.open(user);
    await test.open(user);
    marked.setAttribute('REPLACED', true);
    await marked.save();
    const ended = [
      await test.repository.endOthersOf(await test.find(own.id), 'signed-out'),
      await test.repository.endByPrincipalName(user, 'signed-out'),
    ];
    expect(ended).toEqual([1, 1]);
    expect(await test.repository.takeEndReason(marked.id)).toBe('maximum-sessions');
  });

  it.each(['principal', 'tenant'])('is not counted in the index %j, on any page', async (index) => {
    const test = new IndexedRepositoryUnderTest(createRepository);
    const user = `alice-${table}-${index}`;
    const ids: string[] = [];
    for (let i = 0; i < 4; i++) {
      ids.push((await test.open(user, { tenant: user })).id);
      test.pass(1);
    }
    for (const at of [1, 3]) {
      const marked = await test.find(ids[at] ?? '');
      marked.setAttribute('REPLACED', true);
      await marked.save();
    }
    const pages = [];
    for (const offset of [0, 1, 2])
      pages.push(await test.repository.findByIndex(index, user, { offset, limit: 1 }));
    const found = pages.map(({ sessions }) => sessions.map(({ id }) => ids.indexOf(id)));
    expect(found).toEqual([[2], [0], []]);
    expect(pages.map(({ total }) => total)).toEqual([2, 2, 2]);
  });
});
