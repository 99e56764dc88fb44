import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type express from 'express';
import expressSession from 'express-session';
import { session } from 'nestjs-redis-session/express-session';
import supertest from 'supertest';
import { eventually } from '../../support/waiting/eventually.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';

type Method = 'set' | 'destroy' | 'touch';

/** Reports an error for some of its methods. */
class FailingStore extends expressSession.MemoryStore {
  failing: readonly Method[] = [];

  constructor(private readonly code: string) {
    super();
  }

  override set(id: string, data: never, callback?: (error?: unknown) => void): void {
    if (!this.fails('set', callback)) super.set(id, data, callback);
  }

  override destroy(id: string, callback?: (error?: unknown) => void): void {
    if (!this.fails('destroy', callback)) super.destroy(id, callback);
  }

  override touch(id: string, data: never, callback?: (error?: unknown) => void): void {
    if (!this.fails('touch', callback)) super.touch(id, data, callback);
  }

  private fails(method: Method, callback?: (error?: unknown) => void): boolean {
    if (!this.failing.includes(method)) return false;
    const error = Object.assign(new Error('the disk is gone'), { code: this.code });
    setImmediate(() => callback?.(error));
    return true;
  }
}

type Handler = (request: express.Request) => unknown;

const HANDLERS: Readonly<Record<string, Handler>> = {
  '/write': ({ session }) => void Object.assign(session, { written: true }),
  '/read': ({ session }) => session,
  '/save': ({ session }) => void session.save(),
  '/destroy': ({ session }) => void session.destroy(undefined as never),
  '/regenerate': ({ session }) => void session.regenerate(undefined as never),
  '/awaited': async ({ session }) => {
    const { save } = session as unknown as { save(): Promise<void> };
    return save().catch((error: unknown) => `seen: ${(error as Error).message}`);
  },
};

const rejections: unknown[] = [];
const noteRejection = (reason: unknown) => rejections.push(reason);
const log = new LoggedLines();
let servers: Server[] = [];

/** A server with this store, on which a handler of {@link HANDLERS} makes the answer. */
async function visitorOf(store: FailingStore): Promise<ReturnType<typeof supertest.agent>> {
  const options = { secret: 'x', resave: false, saveUninitialized: false, store, logger: log };
  const middleware = session(options);
  const server = createServer((request, response) => {
    middleware(request, response, () => {
      const answer = HANDLERS[request.url ?? '']?.(request as express.Request);
      void Promise.resolve(answer).then((body) => response.end(JSON.stringify(body ?? 'done')));
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return supertest.agent(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

beforeAll(() => {
  process.on('unhandledRejection', noteRejection);
});

afterAll(() => {
  process.off('unhandledRejection', noteRejection);
});

beforeEach(() => {
  rejections.length = 0;
  log.clear();
});

afterEach(() => {
  for (const server of servers) server.close();
  servers = [];
});

describe('session() with a store that fails', () => {
  it.each(['set', 'touch'] as const)('answers 503 when %s reports ENOENT', async (method) => {
    const store = new FailingStore('ENOENT');
    const visitor = await visitorOf(store);
    if (method === 'touch') await visitor.get('/write').expect(200);
    store.failing = [method];
    const answer = await visitor.get(method === 'set' ? '/write' : '/read').expect(503);
    expect(answer.headers['set-cookie']).toBeUndefined();
  });

  it('takes ENOENT from get as "there is none"', async () => {
    class EmptyStore extends FailingStore {
      override get(_id: string, callback: (error: unknown) => void): void {
        callback(Object.assign(new Error('no such file'), { code: 'ENOENT' }));
      }
    }
    const visitor = await visitorOf(new EmptyStore('EIO'));
    await visitor.get('/write').expect(200);
    const { text } = await visitor.get('/read').expect(200);
    expect(text).not.toContain('written');
  });

  it.each([
    ['save', 'set'],
    ['destroy', 'destroy'],
    ['regenerate', 'destroy'],
  ] as const)('survives a %s() that nobody waits for', async (name, method) => {
    const store = new FailingStore('EIO');
    const visitor = await visitorOf(store);
    await visitor.get('/write').expect(200);
    store.failing = [method];
    await visitor.get(`/${name}`);
    const line = `Cannot ${name} a session: the store reported an error. Await ${name}() to get it.`;
    await eventually(() => Promise.resolve(log.text.includes(line)));
    store.failing = [];
    await visitor.get('/read').expect(200);
    expect(rejections).toEqual([]);
  });

  it('tells whoever waits', async () => {
    const store = new FailingStore('EIO');
    const visitor = await visitorOf(store);
    await visitor.get('/write');
    store.failing = ['set'];
    await visitor.get('/awaited').expect(200, '"seen: the disk is gone"');
  });
});
