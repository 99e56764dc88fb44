import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  BroadcastEventSource,
  OnceEventSource,
} from '../../libs/redis-session/src/postgres/event-sources.js';
import { eventStatements } from '../../libs/redis-session/src/postgres/event-statements.js';
import { PostgresClient } from '../../libs/redis-session/src/postgres/postgres-client.js';
import { PostgresIndexedSessionRepository } from '../../libs/redis-session/src/postgres/postgres-indexed-session-repository.js';
import { sessionTables } from '../../libs/redis-session/src/postgres/session-tables.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import {
  type SessionEvent,
  type SessionEventHandler,
} from '../../libs/redis-session/src/session/session-event.js';
import { SessionEncodingError } from '../../libs/redis-session/src/session/session.errors.js';
import { SessionsAtRest } from '../../libs/redis-session/src/session/at-rest/sessions-at-rest.js';
import { contextOf } from '../support/redis/indexed-repository.js';
import { describeOnceDelivery } from '../support/faults/once-delivery.js';
import { INDEX_OPTIONS } from '../support/index-options.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';
import { eventually } from '../support/waiting/eventually.js';

const postgres = useTestPostgres();
let table: string;
let nowMs: number;
let logged: string[];
let repository: PostgresIndexedSessionRepository;

const log = (message: string) => void logged.push(message);
const options = {
  ...DEFAULT_REPOSITORY_OPTIONS,
  clock: () => nowMs,
  commandTimeoutMs: 2000,
  logger: { warn: log, error: log },
  indexed: { ...INDEX_OPTIONS, maxEvents: 3 },
} as const;

beforeEach(async () => {
  nowMs = Date.now();
  logged = [];
  table = await postgres.createTables();
  const client = new PostgresClient(postgres.pool, 10_000);
  repository = new PostgresIndexedSessionRepository(client, sessionTables(table), options);
});

async function open(name: string): Promise<void> {
  const session = repository.createSession();
  session.setAttribute('SECURITY_CONTEXT', contextOf(name));
  await session.save();
}

function inputOf(handler: SessionEventHandler) {
  return {
    ...options,
    ...options.indexed,
    atRest: new SessionsAtRest(options),
    client: new PostgresClient(postgres.pool, 10_000),
    handler,
    replicaName: 'a',
    resolvers: {},
    statements: eventStatements(sessionTables(table)),
  };
}

function sourceOf(
  handler: SessionEventHandler,
  takeOverSeconds = 60,
  handlerTimeoutMs = 60_000,
): OnceEventSource {
  const input = { ...inputOf(handler), delivery: 'once', handlerTimeoutMs } as const;
  return new OnceEventSource(input, takeOverSeconds);
}

describeOnceDelivery({
  open,
  sourceOf,
  endTakes: async () => {
    await postgres.pool.query(`UPDATE ${table}_events SET taken_until = now()`);
  },
  countUnhandled: () => postgres.count(table, 'events'),
  logged: () => logged,
});

it("delivery 'once' hands over an event that waited behind a hanging handler before it drops it", async () => {
  await open('alice');
  await repository.endByPrincipalName('alice', 'signed-out');
  const seen: string[] = [];
  const handler = ({ type }: SessionEvent) =>
    type === 'created' ? new Promise<void>(() => undefined) : void seen.push(type);
  const source = sourceOf(handler, 0.02, 40);
  await eventually(async () => {
    await source.poll();
    return (await postgres.count(table, 'events')) === 0;
  });
  expect(seen).toEqual(['deleted']);
});

it("delivery 'broadcast' skips and repeats no event when numbers of events get longer", async () => {
  const seen: number[] = [];
  const handler = ({ eventId }: SessionEvent) => {
    if (Number(eventId) >= 950) seen.push(Number(eventId));
  };
  const source = new BroadcastEventSource({ ...inputOf(handler), delivery: 'broadcast' });
  for (let i = 0; i < 100; i++) await open('alice');
  await source.poll();
  await postgres.pool.query(`ALTER TABLE ${table}_events ALTER event_id RESTART WITH 950`);
  await repository.endByPrincipalName('alice', 'signed-out');
  await eventually(async () => {
    await source.poll();
    return seen.length >= 100;
  });
  expect(seen).toEqual(Array.from({ length: 100 }, (_, i) => 950 + i));
});

describe('cleanUp', () => {
  it('keeps so many events as the option says, the newest', async () => {
    for (let i = 0; i < 8; i++) await open(`user-${i}`);
    await repository.cleanUp();
    const { rows } = await postgres.pool.query<{ name: string }>(
      `SELECT principal_name AS name FROM ${table}_events ORDER BY event_id`,
    );
    expect(rows.map(({ name }) => name)).toEqual(['user-5', 'user-6', 'user-7']);
  });

  it('deletes sessions that no worker has ended for the retention time, and reasons', async () => {
    await open('alice');
    await open('bob');
    await repository.endByPrincipalName('bob', 'signed-out');
    nowMs += (1800 + 59) * 1000;
    await repository.cleanUp();
    expect([await postgres.count(table), await postgres.count(table, 'ends')]).toEqual([1, 1]);
    nowMs += 3600 * 1000;
    await repository.cleanUp();
    expect([await postgres.count(table), await postgres.count(table, 'ends')]).toEqual([0, 0]);
  });
});

describe('a user name with a NUL character', () => {
  it('is refused, and finds nobody', async () => {
    await expect(open('a\0b')).rejects.toThrow(
      new SessionEncodingError(
        'Cannot save the session: the value of the index "principal" has a NUL character. Leave it out.',
      ),
    );
    expect(await repository.findByPrincipalName('a\0b')).toEqual({ sessions: [], total: 0 });
    expect(await postgres.count(table)).toBe(0);
  });
});
