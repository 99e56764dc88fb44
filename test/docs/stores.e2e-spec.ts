import { readFileSync } from 'node:fs';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type StoredSessionRepository } from 'nestjs-redis-session/store';
import { describeSessionRepository, describeSessionStore } from 'nestjs-redis-session/testing';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import { send } from '../support/http/http-client.js';
import { oneTable } from '../support/postgres/one-table-store.js';
import { OutageController } from '../support/faults/outage-controller.js';
import { startApp, type StartedApp } from '../support/apps/start-app.js';
import { useTestPostgres } from '../support/postgres/test-postgres.js';

const postgres = useTestPostgres();

beforeAll(async () => {
  await postgres.pool.query(
    'CREATE TABLE web_session (id text PRIMARY KEY, session text NOT NULL)',
  );
});

describe('the store of docs/stores.md', () => {
  const replicas: StartedApp[] = [];

  afterEach(async () => {
    await Promise.all(replicas.splice(0).map((replica) => replica.close()));
  });

  it('is the code that is tested here, in at most 60 lines', () => {
    const code = readFileSync(
      new URL('../support/postgres/one-table-store.ts', import.meta.url),
      'utf8',
    );
    const page = readFileSync(new URL('../../docs/stores.md', import.meta.url), 'utf8');
    expect(page).toContain('```ts\n' + code + '```\n');
    const lines = code.split('\n').filter((line) => line.trim() !== '' && !/^\s*\/?\*/.test(line));
    expect(lines.length).toBeLessThanOrEqual(60);
  });

  it('keeps a login on another replica', async () => {
    for (let i = 0; i < 2; i++) {
      const options = { store: oneTable(postgres.pool) };
      replicas.push(await startApp('express', { controllers: [OutageController], options }));
    }
    const [one, other] = replicas as [StartedApp, StartedApp];
    const { cookie } = await send(one.port, 'POST /login');
    expect((await send(other.port, 'GET /me', { cookie })).status).toBe(200);
    await send(other.port, 'POST /logout', { cookie });
    expect((await send(one.port, 'GET /me', { cookie })).status).toBe(401);
  });

  it('fails the start when sessions are to be found by their user', async () => {
    const options = { store: oneTable(postgres.pool), repository: 'indexed' } as const;
    const started = startApp('express', { options });
    await expect(started).rejects.toThrow('one table, which cannot find sessions by their user');
  });
});

describeSessionRepository('the store of docs/stores.md', (options) => {
  const all = { ...DEFAULT_REPOSITORY_OPTIONS, commandTimeoutMs: 2000, indexed: undefined };
  const repository = oneTable(postgres.pool).createRepository({ ...all, ...options });
  return repository as StoredSessionRepository;
});

describeSessionStore('the store of docs/stores.md', () => oneTable(postgres.pool));
