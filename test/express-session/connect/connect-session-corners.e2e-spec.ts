import { createServer, request as sendRequest } from 'node:http';
import { type AddressInfo } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import type express from 'express';
import expressSession from 'express-session';
import { session } from 'nestjs-redis-session/express-session';

type Options = Partial<Parameters<typeof expressSession>[0]>;
type Cookie = Record<string, unknown> & { serialize(name: string, value: string): string };
type Handler = (request: express.Request, answer: (body: unknown) => void) => void;

/** A store that can be told to fail, and what its sessions are. */
class TestStore extends expressSession.MemoryStore {
  isFailing = false;
  /** How often each method was called. */
  readonly calls = { set: 0, touch: 0 };

  override set(...args: Parameters<expressSession.MemoryStore['set']>): void {
    this.calls.set++;
    super.set(...args);
  }

  override touch(...args: Parameters<expressSession.MemoryStore['touch']>): void {
    this.calls.touch++;
    super.touch(...args);
  }

  override destroy(id: string, callback?: (error?: unknown) => void): void {
    if (this.isFailing) callback?.(new Error('no'));
    else super.destroy(id, callback);
  }
}

/** Sets `maxAge` or `expires` beside an attribute. */
const cookieSetter =
  (name: 'maxAge' | 'expires', value: unknown): Handler =>
  ({ session }, answer) => {
    Object.assign(session, { a: 1 });
    try {
      Object.assign(session.cookie, { [name]: value });
      answer('set');
    } catch (error) {
      answer(String(error));
    }
  };

const HANDLERS: Readonly<Record<string, Handler>> = {
  '/write': ({ session }, answer) => {
    Object.assign(session, { a: 1 });
    answer('written');
  },
  '/read': ({ session }, answer) =>
    answer(Object.entries(session).filter(([, value]) => value === 1)),
  '/type': ({ session }, answer) => answer(typeof session),
  '/keys': ({ session }, answer) => answer([Object.keys(session), session.id.length]),
  '/log-in': (request, answer) => {
    request.session.regenerate(() => {
      Object.assign(request.session, { user: 1 });
      request.session.save(() => {
        request.session.cookie.maxAge = 3_600_000;
        answer('logged in');
      });
    });
  },
  '/age': ({ session }, answer) => answer(session.cookie.originalMaxAge),
  '/set-id': ({ session }, answer) => {
    try {
      Object.assign(session, { id: 'other' });
      answer('assigned');
    } catch (error) {
      answer((error as Error).name);
    }
  },
  '/line': ({ session }, answer) => {
    answer((session.cookie as unknown as Cookie).serialize('name', 'a value'));
  },
  '/regenerate': (request, answer) => {
    const old = request.sessionID;
    request.session.regenerate((error: unknown) => {
      answer([String(error), typeof request.session, old === request.sessionID]);
    });
  },
  '/regenerate-by-store': (request, answer) => {
    const old = request.sessionID;
    request.sessionStore.regenerate(request, (error: unknown) => {
      Object.assign(request.session, { b: 2 });
      answer([String(error), old === request.sessionID]);
    });
  },
  '/load': ({ sessionStore, sessionID }, answer) => {
    sessionStore.load(sessionID, (error: unknown, found?: unknown) => {
      answer([error, (found as { a?: number }).a]);
    });
  },
  '/age-undefined': cookieSetter('maxAge', undefined),
  '/age-false': cookieSetter('maxAge', false),
  '/age-date': cookieSetter('maxAge', new Date(Date.now() + 3_600_000)),
  '/age-text': cookieSetter('maxAge', '60000'),
  '/expires-false': cookieSetter('expires', false),
};

/** A step is a path, or a path with headers, or something that happens to the store. */
type Step = string | readonly [string, Record<string, string>] | ((store: TestStore) => void);
type Scenario = { options?: object; steps: readonly Step[] };

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'an age that is undefined': { steps: ['/age-undefined', '/read', '/write', '/read'] },
  'an age that is false': { steps: ['/age-false', '/read', '/write', '/read'] },
  'an age that is a date': { steps: ['/age-date', '/read'] },
  'an age that is a text': { steps: ['/age-text', '/read'] },
  'an end that is false': {
    options: { cookie: { maxAge: 60_000 } },
    steps: ['/expires-false', '/read'],
  },
  'a store that is not connected for a while': {
    steps: [
      '/write',
      (store) => void store.emit('disconnect'),
      '/type',
      (store) => void store.emit('connect'),
      '/read',
    ],
  },
  'an age that is set after regenerate() and save(), as "remember me" does': {
    options: { cookie: { maxAge: 600_000 } },
    steps: ['/write', '/log-in', '/age'],
  },
  'the former name of the option name': {
    options: { key: 'connect.session' },
    steps: ['/write', '/read'],
  },
  'regenerate of the store': { steps: ['/write', '/regenerate-by-store', '/read'] },
  'load of the store': { steps: ['/write', '/load'] },
  'regenerate() when the old session cannot be ended': {
    steps: ['/write', (store) => void (store.isFailing = true), '/regenerate', '/read'],
  },
  'a whole URL as request target': { steps: ['/write', 'http://127.0.0.1/read'] },
  'a whole URL below another path': {
    options: { cookie: { path: '/admin' } },
    steps: ['http://127.0.0.1/type', '/type'],
  },
  'no cookie path': { options: { cookie: { path: null } }, steps: ['/write', '/read'] },
  'an id that is no text': { options: { genid: () => 5 }, steps: ['/write', '/read'] },
  'no id': { options: { genid: () => undefined }, steps: ['/write', '/read'] },
  'the id, which is read-only': { steps: ['/set-id', '/keys'] },
  'the line of a cookie': {
    options: { cookie: { sameSite: 'strict', domain: 'shop.example' } },
    steps: ['/line'],
  },
  'secure "auto", decided when the session begins': {
    options: { proxy: true, cookie: { secure: 'auto', sameSite: 'auto', maxAge: 60_000 } },
    steps: [['/write', { 'X-Forwarded-Proto': 'https' }], '/read', '/write'],
  },
};

/** Keeps the settings of its cookie when the options change. */
const OTHER_OPTIONS = { cookie: { sameSite: 'strict', domain: 'shop.example' }, rolling: true };

type Middleware = ReturnType<typeof session>;
type Maker = (options: Options) => Middleware;

const ours: Maker = (options) => session(options as Parameters<typeof session>[0]);
const theirs: Maker = (options) => expressSession(options as never) as never;

async function listen(make: Maker, options: Options): Promise<ReturnType<typeof createServer>> {
  const middleware = make({ secret: 'x', resave: false, saveUninitialized: false, ...options });
  const server = createServer((request, response) => {
    middleware(request, response, (error) => {
      if (error) response.statusCode = 500;
      const path = new URL(request.url ?? '', 'http://127.0.0.1').pathname;
      const handle = error ? undefined : HANDLERS[path];
      if (handle) handle(request as express.Request, (body) => response.end(JSON.stringify(body)));
      else response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

interface Answer {
  readonly status: number | undefined;
  readonly text: string;
  readonly cookies: readonly string[];
}

function send(port: number, path: string, headers: Record<string, string>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = sendRequest({ host: '127.0.0.1', port, path, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('end', () => {
        resolve({ status: answer.statusCode, text, cookies: answer.headers['set-cookie'] ?? [] });
      });
    });
    sent.on('error', reject).end();
  });
}

/** What a client and the store see after each step. */
async function observe(make: Maker, scenario: Scenario, store = new TestStore()) {
  const server = await listen(make, { store, ...scenario.options });
  const { port } = server.address() as AddressInfo;
  const seen: unknown[] = [];
  let cookie = '';
  for (const step of scenario.steps) {
    if (typeof step === 'function') {
      step(store);
      continue;
    }
    const [path, headers] = typeof step === 'string' ? [step, {}] : step;
    const answer = await send(port, path, { ...headers, ...(cookie && { cookie }) });
    for (const line of answer.cookies) cookie = line.split(';')[0] ?? '';
    seen.push({
      path,
      ...answer,
      cookies: answer.cookies.map(withoutId),
      stored: sessionsOf(store),
      calls: { ...store.calls },
    });
  }
  server.close();
  return seen;
}

/** Attributes of a cookie in no order; an end counts as an end, whichever it is. */
function withoutId(line: string): readonly string[] {
  const [pair = '', ...attributes] = line.split('; ');
  return [pair.slice(0, 16), ...attributes.map((text) => text.split(', ')[0] ?? '').sort()];
}

function sessionsOf(store: TestStore): readonly object[] {
  const { sessions } = store as unknown as { sessions: Record<string, string> };
  return Object.values(sessions).map((text) => {
    const { cookie, ...attributes } = JSON.parse(text) as { cookie: Record<string, unknown> };
    const { originalMaxAge, expires, ...settings } = cookie;
    return { ...attributes, ...settings, lasts: Boolean(originalMaxAge), ends: Boolean(expires) };
  });
}

describe('session() does what express-session does with', () => {
  it.each(Object.keys(SCENARIOS))('%s', async (name) => {
    const scenario = SCENARIOS[name] ?? { steps: [] };
    expect(await observe(ours, scenario)).toEqual(await observe(theirs, scenario));
  });

  it('a stored cookie, when the options are others by now', async () => {
    const seen = [];
    for (const make of [ours, theirs]) {
      const store = new TestStore();
      const server = await listen(make, { store });
      const { port } = server.address() as AddressInfo;
      const first = await send(port, '/write', {});
      const cookie = first.cookies[0]?.split(';')[0] ?? '';
      const later = await listen(make, { store, ...(OTHER_OPTIONS as Options) });
      const { port: laterPort } = later.address() as AddressInfo;
      const second = await send(laterPort, '/write', { cookie });
      seen.push([second.cookies.map(withoutId), sessionsOf(store)]);
      server.close();
      later.close();
    }
    expect(seen[0]).toEqual(seen[1]);
  });
});
