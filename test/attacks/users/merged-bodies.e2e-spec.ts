import {
  Body,
  Controller,
  HttpCode,
  Post,
  Req,
  Session as SessionOf,
  UseGuards,
} from '@nestjs/common';
import { describe, expect, it } from '@jest/globals';
import {
  Authenticated,
  CurrentUser,
  LoginGuard,
  SecurityContextHolder,
} from 'nestjs-redis-session';
import { type ExpressSession, expressSession } from 'nestjs-redis-session/express-session';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { setCookieLinesOf, Visitor } from '../../support/http/visitor.js';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

type Fields = Record<string, unknown>;

/** Merges as many an application and library does: what is an object on both sides is changed in place. */
function merge(target: Fields, source: Fields): void {
  for (const [name, value] of Object.entries(source)) {
    const old = target[name];
    if (isFields(old) && isFields(value)) merge(old, value);
    else target[name] = value;
  }
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const attributesOf = (body: Fields) => Object.entries(body);

/** How careless handlers bring what a client has sent into a session. */
const WAYS: Record<string, (session: ExpressSession, body: Fields, request: Fields) => void> = {
  'assigned to it': (session, body) => void Object.assign(session, body),
  'merged into it': (session, body) => merge(session, body),
  'merged into what its method get() gives': (session, body) => {
    const { get } = session as unknown as { get: (name: string) => unknown };
    for (const [name, value] of attributesOf(body)) {
      const old = get(name);
      if (isFields(old) && isFields(value)) merge(old, value);
    }
  },
  'given to its method set()': (session, body) => {
    const { set } = session as unknown as { set: (name: string, value: unknown) => void };
    for (const [name, value] of attributesOf(body)) set(name, value);
  },
  'defined on it': (session, body) => {
    for (const [name, value] of attributesOf(body))
      Object.defineProperty(session, name, { value, configurable: true });
  },
  'defined on it as getters': (session, body) => {
    for (const [name, value] of attributesOf(body))
      Object.defineProperty(session, name, { get: () => value, configurable: true });
  },
  'set for another receiver': (session, body) => {
    for (const [name, value] of attributesOf(body)) Reflect.set(session, name, value, {});
  },
  'assigned to a child of it': (session, body) => {
    Object.assign(Object.create(session) as object, body);
  },
  'made its prototype': (session, body) => void Object.setPrototypeOf(session, body),
  'put in its place': (_session, body, request) => {
    request['session'] = body;
  },
  'assigned to its cookie': (session, body) => void Object.assign(session.cookie, body['cookie']),
};

@Controller()
class CarelessController {
  /** Also completes what is known of the user, as nobody should. */
  @Post('login-with-profile')
  @HttpCode(200)
  @UseGuards(LoginGuard('local'))
  logIn(
    @Req() { user }: Fields,
    @CurrentUser() current: Fields,
    @Body() { profile }: Fields,
  ): void {
    const authentication = SecurityContextHolder.getAuthentication() as unknown as Fields;
    for (const known of [user as Fields, current, authentication]) merge(known, profile as Fields);
    (authentication['authorities'] as string[]).push('ADMIN');
  }

  @Post('profile')
  @HttpCode(200)
  @Authenticated()
  complete(
    @Req() { user }: Fields,
    @SessionOf() session: ExpressSession,
    @Body() body: Fields,
  ): void {
    session['visited'] = true;
    merge(user as Fields, body);
    merge(SecurityContextHolder.getAuthentication() as unknown as Fields, body);
  }

  @Post('careless')
  take(@SessionOf() session: ExpressSession, @Req() request: Fields, @Body() body: Fields): object {
    const { way, sent } = body as unknown as { way: string; sent: Fields };
    session['visited'] = true;
    try {
      WAYS[way]?.(session, sent, request);
    } catch (error) {
      return { refused: (error as Error).name };
    }
    return { polluted: ({} as Fields)['polluted'] };
  }
}

const ADMIN_CONTEXT = {
  authentication: { name: 'admin', authorities: ['ADMIN'], principal: { username: 'admin' } },
};

const BODIES: Record<string, string> = {
  'the context of an administrator': JSON.stringify({ SECURITY_CONTEXT: ADMIN_CONTEXT }),
  'keys that lead to a prototype': `{"__proto__":{"polluted":1,"SECURITY_CONTEXT":${JSON.stringify(ADMIN_CONTEXT)}},"constructor":{"prototype":{"polluted":1}}}`,
  'names of methods': JSON.stringify({
    save: 1,
    regenerate: 1,
    destroy: 1,
    touch: 1,
    toJSON: 1,
    then: 1,
  }),
  'a cookie that splits the response': JSON.stringify({
    cookie: {
      domain: 'a\r\nSet-Cookie: evil=1',
      path: '/\r\nX-Evil: 1',
      sameSite: 'lax\r\nX-Evil: 1',
      priority: 'high\r\nX-Evil: 1',
      name: 'a=1\r\nX-Evil: 1',
      expires: 'soon\r\nX-Evil: 1',
      httpOnly: 'no\r\nX-Evil: 1',
      secure: 'no\r\nX-Evil: 1',
    },
  }),
};

const CASES = Object.keys(WAYS).flatMap((way) => Object.keys(BODIES).map((sent) => [way, sent]));

describe.each(PLATFORMS)('req.session on %s', (platform) => {
  const start = useApps(platform, useTestRedis(), {
    ...LOGIN_PARTS,
    controllers: [...LOGIN_PARTS.controllers, CarelessController],
  });

  it('gives nobody more rights, pollutes nothing and splits no response, whatever a client sends', async () => {
    const { url } = await start({ features: [expressSession()] });
    for (const [way = '', name = ''] of CASES) {
      for (const user of [undefined, KIM]) {
        const visitor = new Visitor(url);
        if (user) await visitor.post('/login', user);
        const body = `{"way":${JSON.stringify(way)},"sent":${BODIES[name] ?? ''}}`;
        const taken = await visitor.postText('/careless', body);
        const why = { way, name, user: user?.username, answer: taken.text };
        expect({ ...why, status: taken.status < 500 }).toEqual({ ...why, status: true });
        expect(taken.text).not.toContain('polluted');
        expect(taken.headers).not.toHaveProperty('x-evil');
        expect(setCookieLinesOf(taken).join()).not.toMatch(/evil|\n/i);
        expect({ ...why, admin: (await visitor.get('/admin')).status }).toEqual({
          ...why,
          admin: user ? 403 : 401,
        });
        expect((await visitor.get('/members')).status).toBe(user ? 200 : 401);
      }
    }
    expect(({} as Fields)['polluted']).toBeUndefined();
  });

  it('stays that of the user when a handler merges a body into what it is told of him', async () => {
    const { url } = await start({ features: [expressSession()] });
    const kim = new Visitor(url);
    const profile = { authorities: ['ADMIN'], roles: ['ADMIN'], name: 'admin', username: 'admin' };
    await kim.post('/login-with-profile', { ...KIM, profile });
    expect((await kim.get('/admin')).status).toBe(403);
    expect((await kim.post('/profile', profile)).status).toBe(200);
    expect((await kim.get('/admin')).status).toBe(403);
    expect((await kim.get('/')).body).toMatchObject({ name: 'kim' });
  });
});
