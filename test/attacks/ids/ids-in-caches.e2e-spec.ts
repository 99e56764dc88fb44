import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Header, Post, Query, Req, Res } from '@nestjs/common';
import {
  CsrfTokenService,
  CurrentSession,
  type RedisSessionModuleOptions,
  type Session,
} from 'nestjs-redis-session';
import { HeaderSessionIdResolver } from 'nestjs-redis-session/http';
import { rawResponseOf } from '../../../libs/redis-session/src/nest/call-context.js';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { Visitor } from '../../support/http/visitor.js';

const write = (session: Session) => session.setAttribute('visits', 1);

@Controller()
class PagesController {
  constructor(private readonly tokens: CsrfTokenService) {}

  @Get('new')
  begin(@CurrentSession() session: Session): string {
    write(session);
    return 'new';
  }

  @Get('public')
  @Header('Cache-Control', 'public, max-age=3600')
  shared(@CurrentSession() session: Session): string {
    write(session);
    return 'public';
  }

  @Get('private')
  @Header('Cache-Control', 'private, max-age=60')
  own(@CurrentSession() session: Session): string {
    write(session);
    return 'private';
  }

  @Get('said')
  said(
    @CurrentSession() session: Session,
    @Query('said') said: string[],
    @Res() response: object,
  ): void {
    write(session);
    rawResponseOf(response).setHeader('Cache-Control', said).end('said');
  }

  @Get('head')
  explicit(@CurrentSession() session: Session, @Res() response: object): void {
    write(session);
    rawResponseOf(response).writeHead(200, { 'Cache-Control': 'public, max-age=3600' }).end('head');
  }

  @Get('form')
  form(@Req() request: object): Promise<string> {
    return this.tokens.tokenOf(request);
  }

  @Get('untouched')
  @Header('Cache-Control', 'public, max-age=3600')
  untouched(): string {
    return 'untouched';
  }

  @Post('end')
  async end(@CurrentSession() session: Session): Promise<void> {
    await session.invalidate();
  }
}

describe.each(PLATFORMS)('a response that tells a session id on %s', (platform) => {
  let app: StartedApp;

  const start = async (options: Partial<RedisSessionModuleOptions> = {}) => {
    app = await startApp(platform, {
      controllers: [PagesController],
      options: { store: 'memory', ...options },
    });
    return new Visitor(app.url);
  };
  afterEach(() => app.close());

  it('is stored by no cache when it holds a CSRF token of a session that the client has already', async () => {
    const visitor = await start();
    await visitor.get('/form');
    const { headers } = await visitor.get('/form');
    expect(headers).not.toHaveProperty('set-cookie');
    expect(headers['cache-control']).toBe('no-store');
  });

  it.each(['new', 'public', 'head'])('is stored by no cache: /%s', async (path) => {
    const { headers } = await (await start()).get(`/${path}`);
    expect(headers['set-cookie']).toHaveLength(1);
    expect(headers['cache-control']).toBe('no-store');
  });

  it('is stored by no cache when the page has a CSRF token', async () => {
    const { headers } = await (await start({ security: { csrf: true } })).get('/form');
    expect(headers['set-cookie']).toHaveLength(1);
    expect(headers['cache-control']).toBe('no-store');
  });

  it('is stored by no cache when every response tells it again', async () => {
    const visitor = await start({ cookie: { rolling: true, maxAgeSeconds: 3600 } });
    await visitor.get('/new');
    const { headers } = await visitor.get('/untouched');
    expect(headers['set-cookie']).toHaveLength(1);
    expect(headers['cache-control']).toBe('no-store');
  });

  it('is stored by no cache when it says that the session has ended', async () => {
    const visitor = await start();
    await visitor.get('/new');
    const { headers } = await visitor.post('/end');
    expect(headers['set-cookie']).toHaveLength(1);
    expect(headers['cache-control']).toBe('no-store');
  });

  it('is stored by no cache when a header carries the id', async () => {
    const sessionIdResolver = HeaderSessionIdResolver.xAuthToken();
    const { headers } = await (await start({ sessionIdResolver })).get('/public');
    expect(headers['x-auth-token']).toBeDefined();
    expect(headers['cache-control']).toBe('no-store');
  });

  it('is stored by no cache in an application without security', async () => {
    const { headers } = await (await start({ security: false })).get('/public');
    expect(headers['cache-control']).toBe('no-store');
  });

  it('keeps what the application says when that keeps shared caches out', async () => {
    const { headers } = await (await start()).get('/private');
    expect(headers['set-cookie']).toHaveLength(1);
    expect(headers['cache-control']).toBe('private, max-age=60');
  });

  it.each([
    ['private="x-note", max-age=60'],
    ['x-private=1, max-age=60'],
    ['public, private, max-age=60'],
    ['private, s-maxage=60'],
    ['not-private'],
    ['public', 'max-age=60'],
  ])(
    'is stored by no cache when the application does not keep them all out: %s',
    async (...said) => {
      const query = new URLSearchParams(
        said.map((each): [string, string] => ['said', each]),
      ).toString();
      const { headers } = await (await start()).get(`/said?${query}`);
      expect(headers['set-cookie']).toHaveLength(1);
      expect(headers['cache-control']).toBe('no-store');
    },
  );

  it.each(['no-store', 'Private', 'max-age=60,private', 'public, no-store'])(
    'keeps what the application says when that keeps them out: %s',
    async (said) => {
      const { headers } = await (
        await start()
      ).get(`/said?${new URLSearchParams({ said }).toString()}`);
      expect(headers['set-cookie']).toHaveLength(1);
      expect(headers['cache-control']).toBe(said);
    },
  );

  it('keeps whatever the application says with cacheControl: false', async () => {
    const { headers } = await (await start({ security: { cacheControl: false } })).get('/public');
    expect(headers['cache-control']).toBe('public, max-age=3600');
  });

  it('may be cached when it tells none', async () => {
    const { headers } = await (await start()).get('/untouched');
    expect(headers['set-cookie']).toBeUndefined();
    expect(headers['cache-control']).toBe('public, max-age=3600');
  });
});
