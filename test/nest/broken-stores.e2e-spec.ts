import { type Server } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SessionOptionError } from 'nestjs-redis-session';
import * as store from 'nestjs-redis-session/store';
import { LoggedLines } from '../support/apps/logged-lines.js';
import { createApp, PLATFORMS, startApp, type StartedApp } from '../support/apps/start-app.js';
import { VisitController } from '../support/faults/visit-controller.js';
import { Visitor } from '../support/http/visitor.js';
import { eventually } from '../support/waiting/eventually.js';

type Operation = 'load' | 'write' | 'delete';

/** What an operation does instead of its work, while it is broken. */
let faults: Partial<Record<Operation, (work: () => unknown) => unknown>>;

/** A store in memory as an application may write one, whose author has thought of no failure. */
class BreakableRepository extends store.StoredSessionRepository {
  private readonly sessions = new Map<string, store.StoredSession>();

  protected override load(id: string): Promise<store.StoredSession | undefined> {
    return this.run('load', () => this.sessions.get(id));
  }

  protected override write(change: store.SessionChange): Promise<store.SaveOutcome> {
    return this.run('write', () => this.writeNow(change));
  }

  protected override delete(id: string): Promise<void> {
    return this.run('delete', () => void this.sessions.delete(id));
  }

  private writeNow(change: store.SessionChange): store.SaveOutcome {
    const { outcome, session } = store.applyChange(this.sessions.get(change.storedId), change);
    if (!session) return outcome;
    this.sessions.delete(change.storedId);
    this.sessions.set(change.id, session);
    return outcome;
  }

  private run<T>(operation: Operation, work: () => T): Promise<T> {
    const broken = faults[operation]?.(work) as Promise<T> | undefined;
    return broken ?? Promise.resolve(work());
  }
}

const breakable = (lifecycle: Partial<store.SessionStore> = {}): store.SessionStore => ({
  name: 'breakable',
  createRepository: (options) => new BreakableRepository(options),
  ...lifecycle,
});

const never = () => new Promise<never>(() => undefined);

/** Whatever a driver may reject with. */
const rejectWith = async (reason: unknown): Promise<never> => {
  await Promise.resolve();
  throw reason;
};

/** Fails as a program fails that does not know what it is given. */
const FAILURES: Record<string, () => unknown> = {
  'throws at once': () => {
    throw new TypeError('secret detail');
  },
  rejects: () => Promise.reject(new Error('secret detail')),
  'rejects without a reason': () => rejectWith(undefined),
  'rejects with a text': () => rejectWith('secret detail'),
};
const NONSENSE: Record<string, () => unknown> = {
  'gives null': () => Promise.resolve(null),
  'gives a number': () => Promise.resolve(7),
  'gives an empty object': () => Promise.resolve({}),
  'gives an unknown outcome': () => Promise.resolve({ kind: 'done' }),
  'gives a conflict with nothing': () => Promise.resolve({ kind: 'conflict' }),
};
const NO_SESSIONS: Record<string, () => unknown> = {
  'gives an empty object': () => Promise.resolve({}),
  'gives a number': () => Promise.resolve(7),
  'gives attributes that are no map': () =>
    Promise.resolve({
      creationTime: 1,
      lastAccessedTime: 1,
      maxInactiveInterval: 60,
      attributes: {},
    }),
  'gives texts that are none': () =>
    Promise.resolve({
      creationTime: 1,
      lastAccessedTime: 1,
      maxInactiveInterval: 60,
      attributes: new Map([['SECURITY_CONTEXT', { authentication: { name: 'root' } }]]),
    }),
};

/** @returns what lets each of the operations go on that have begun since */
function hold(operation: Operation): (() => void)[] {
  const held: (() => void)[] = [];
  faults = {
    [operation]: (work: () => unknown) =>
      new Promise((resolve) =>
        held.push(() => {
          resolve(work());
        }),
      ),
  };
  return held;
}

describe.each(PLATFORMS)('a store of an application on %s', (platform) => {
  const log = new LoggedLines();
  let app: StartedApp;
  let visitor: Visitor;

  const start = async (): Promise<void> => {
    app = await startApp(platform, {
      controllers: [VisitController],
      log,
      options: { commandTimeoutMs: 200, store: breakable() },
    });
    visitor = new Visitor(app.url);
    expect((await visitor.post('/login')).status).toBe(201);
  };

  beforeEach(() => {
    faults = {};
  });

  afterEach(() => app.close());

  const expectUnavailable = async (answer: ReturnType<Visitor['get']>) => {
    const { status, headers, text } = await answer;
    expect([status, headers['set-cookie']]).toEqual([503, undefined]);
    expect(text).not.toContain('secret detail');
  };

  it.each(Object.entries({ ...FAILURES }))(
    'whose load %s, answers 503 to readers',
    async (_, fault) => {
      await start();
      faults = { load: fault };
      await expectUnavailable(visitor.get('/me'));
      await expectUnavailable(visitor.post('/count'));
      await expectUnavailable(visitor.post('/logout'));
      faults = {};
      expect((await visitor.get('/me')).status).toBe(200);
    },
  );

  it.each(Object.entries({ ...FAILURES, ...NONSENSE }))(
    'whose write %s, answers 503 to writers',
    async (_, fault) => {
      await start();
      faults = { write: fault };
      await expectUnavailable(visitor.post('/begin'));
      await expectUnavailable(visitor.post('/count'));
      await expectUnavailable(new Visitor(app.url).post('/login'));
      faults = {};
      expect((await visitor.get('/me')).status).toBe(200);
      expect((await visitor.post('/count')).status).toBe(201);
    },
  );

  it.each(Object.entries(FAILURES))(
    'whose delete %s, answers 503 to a logout',
    async (_, fault) => {
      await start();
      faults = { delete: fault };
      await expectUnavailable(visitor.post('/logout'));
      faults = {};
      expect((await visitor.post('/logout')).status).toBe(201);
      expect((await visitor.get('/me')).status).toBe(401);
    },
  );

  it.each(Object.entries(NO_SESSIONS))(
    'whose load %s, has no answer for its readers that is one of a login',
    async (_, fault) => {
      await start();
      faults = { load: fault };
      const { status, headers } = await visitor.get('/me');
      expect([401, 500, 503]).toContain(status);
      expect(headers['set-cookie']).toBe(undefined);
      faults = {};
      expect((await visitor.get('/me')).status).toBe(200);
    },
  );

  it.each(['load', 'write', 'delete'] as const)(
    'whose %s never ends, has 503 at its deadline',
    async (operation) => {
      await start();
      faults = { [operation]: never };
      const request = { load: '/count', write: '/count', delete: '/logout' }[operation];
      await expectUnavailable(visitor.post(request));
      faults = {};
      expect((await visitor.get('/me')).status).toBe(200);
    },
  );

  it('whose write ends after its deadline, has answered 503, and counts it once at most', async () => {
    await start();
    const late = hold('write');
    await expectUnavailable(visitor.post('/count'));
    await expectUnavailable(new Visitor(app.url).post('/login'));
    faults = {};
    expect((await visitor.post('/count')).status).toBe(201);
    expect(late).toHaveLength(2);
    for (const goOn of late) goOn();
    expect((await visitor.get('/count')).body).toEqual({ count: 1 });
  });

  it('whose reads end in another order than they began, gives each its own session', async () => {
    await start();
    const other = new Visitor(app.url);
    await other.post('/login');
    await other.post('/count');
    const held = hold('load');
    const answers = [visitor, other].map((each) => each.get('/count'));
    await eventually(() => Promise.resolve(held.length === 2));
    for (const goOn of held.toReversed()) goOn();
    const counts = (await Promise.all(answers)).map(({ body }) => body);
    expect(counts).toEqual([{ count: 0 }, { count: 1 }]);
  });

  it('whose write finds a conflict each time, has 503 in the end', async () => {
    await start();
    faults = {
      write: () => Promise.resolve({ kind: 'conflict', current: new Map([['count', '0']]) }),
    };
    await expectUnavailable(visitor.post('/count'));
  });
});

describe('the start and the end of a store of an application', () => {
  const log = new LoggedLines();
  const calls: string[] = [];
  const note = (call: string) => {
    calls.push(call);
    return Promise.resolve();
  };
  const stop = () => note('stop');
  const running: StartedApp[] = [];
  const startWith = async (
    lifecycle: Partial<store.SessionStore>,
    { commandTimeoutMs = 200, closesGently = false, features = [] as store.SessionFeature[] } = {},
  ) => {
    const options = { commandTimeoutMs, features, store: breakable(lifecycle) };
    const controllers = [VisitController];
    const app = await startApp('express', { closesGently, controllers, log, options });
    running.push(app);
    return app;
  };

  beforeEach(() => {
    calls.length = 0;
    faults = {};
    log.clear();
  });

  afterEach(async () => {
    await Promise.all(running.splice(0).map((app) => app.close()));
  });

  it.each([
    ['rejects', () => rejectWith(new Error('no such table')), 'no such table'],
    ['rejects with a text', () => rejectWith('no such table'), 'unknown reason'],
    [
      'throws at once',
      () => {
        throw new TypeError('no pool');
      },
      'no pool',
    ],
    ['never ends', never, 'no answer within 200 ms'],
  ])('fail the application when start %s, and stop is called once', async (_, start, reason) => {
    await expect(startWith({ start, stop })).rejects.toThrow(
      `Cannot reach breakable: the session store failed (${reason}). Check that the store is reachable and accepts writes.`,
    );
    expect(calls).toEqual(['stop']);
  });

  it('have the time that the store says', async () => {
    let ready: () => void = () => undefined;
    const start = () => new Promise<void>((resolve) => (ready = resolve));
    const starting = startWith({ start, startTimeoutMs: 60_000 });
    await startWith({ start: never }).catch(() => undefined);
    ready();
    const app = await starting;
    expect((await new Visitor(app.url).post('/login')).status).toBe(201);
  });

  it('call start before the first request, and stop after the last one', async () => {
    const patient = { commandTimeoutMs: 10_000, closesGently: true };
    const app = await startWith({ start: () => note('start'), stop }, patient);
    expect(calls).toEqual(['start']);
    const held = hold('write');
    const login = new Visitor(app.url).post('/login');
    await eventually(() => Promise.resolve(held.length === 1));
    const closed = app.close();
    const server = app.app.getHttpServer() as Server;
    await eventually(() => Promise.resolve(!server.listening));
    await note('write');
    for (const goOn of held) goOn();
    expect((await login).status).toBe(201);
    await closed;
    await app.close();
    expect(calls).toEqual(['start', 'write', 'stop']);
  });

  it.each([
    ['rejects', () => rejectWith(new Error('busy')), 'busy'],
    [
      'rejects with a sentence',
      () => rejectWith(new SessionOptionError('x must be y.')),
      'x must be y',
    ],
    ['never ends', never, 'no answer within 400 ms'],
  ])('let the application end when stop %s', async (_, failingStop, reason) => {
    const app = await startWith({ stop: failingStop });
    await app.close();
    expect(log.text).toContain(
      `Cannot close breakable: ${reason}. Its connections may stay open until the process ends.`,
    );
  });

  it('do not change when the repository is that of a feature, which fails itself', async () => {
    const feature = (lifecycle: object): store.SessionFeature => ({
      name: 'failing()',
      createRepository: (made, options) =>
        Object.assign(made.createRepository(options), {
          stop: () => note('stop the feature'),
          ...lifecycle,
        }),
    });
    const fail = () => rejectWith(new Error('no such feature'));
    const starting = startWith({ stop }, { features: [feature({ start: fail })] });
    await expect(starting).rejects.toThrow('no such feature');
    expect(calls.splice(0)).toEqual(['stop the feature', 'stop']);
    const app = await startWith({ stop }, { features: [feature({ stop: fail })] });
    await app.close();
    expect(calls.splice(0)).toEqual(['stop']);
    expect(log.text).toContain('Cannot stop failing(): no such feature.');
    const hanging = await startWith({ stop }, { features: [feature({ stop: never })] });
    await hanging.close();
    expect(calls).toEqual(['stop']);
    expect(log.text).toContain('Cannot stop failing(): no answer within 400 ms.');
  });
});

describe('the start and the end of features of an application', () => {
  const log = new LoggedLines();
  const calls: string[] = [];
  const note = (call: string) => {
    calls.push(call);
    return Promise.resolve();
  };
  const feature = (name: string, lifecycle: object = {}): store.SessionFeature => ({
    name,
    connect: () => ({
      start: () => note(`start ${name}`),
      stop: () => note(`stop ${name}`),
      ...lifecycle,
    }),
  });
  const createWith = (
    lifecycle: Partial<store.SessionStore>,
    ...features: store.SessionFeature[]
  ) => {
    const options = { commandTimeoutMs: 200, features, store: breakable(lifecycle) };
    return createApp('express', { log, options });
  };
  const create = (...features: store.SessionFeature[]) => createWith({}, ...features);

  beforeEach(() => {
    calls.length = 0;
    faults = {};
    log.clear();
  });

  it('are stopped once when one of them fails, and the store with them', async () => {
    const start = () => rejectWith(new Error('no such feature'));
    const stop = () => note('stop the store');
    const features = [feature('one'), feature('two', { start }), feature('three')];
    const app = await createWith({ stop }, ...features);
    await expect(app.init()).rejects.toThrow('no such feature');
    expect(calls).toEqual(['start one', 'stop one', 'stop two', 'stop three', 'stop the store']);
    await app.close();
    expect(calls).toHaveLength(5);
  });

  it('are stopped once when the store fails', async () => {
    const start = () => rejectWith(new Error('no such table'));
    const app = await createWith({ start, stop: () => note('stop the store') }, feature('one'));
    await expect(app.init()).rejects.toThrow('no such table');
    expect(calls).toEqual(['stop one', 'stop the store']);
    await app.close();
    expect(calls).toHaveLength(2);
  });

  it.each([
    ['rejects', () => rejectWith(new Error('busy')), 'busy'],
    [
      'throws at once',
      () => {
        throw new TypeError('busy');
      },
      'busy',
    ],
    ['never ends', never, 'no answer within 400 ms'],
  ])('let the application and the others end when stop %s', async (_, stop, reason) => {
    const app = await create(feature('one', { stop }), feature('two'));
    await app.init();
    await app.close();
    expect(calls).toEqual(['start one', 'start two', 'stop two']);
    expect(log.text).toContain(`Cannot stop one: ${reason}.`);
  });
});
