import { Controller, Get, Injectable, Module, UseGuards } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import getPort from 'get-port';
import { Strategy } from 'passport-oauth2';
import { Authenticated, CurrentUser, LoginGuard, RedisSessionModule } from 'nestjs-redis-session';
import { Visitor } from '../../../tools/demo/visitor.mjs';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import {
  OAUTH_CLIENT,
  type OauthProvider,
  startOauthProvider,
} from '../../support/apps/oauth-provider.js';
import { oauthStateStore } from '../../support/apps/oauth-state-store.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

interface Profile {
  readonly sub: string;
  readonly roles: string[];
}

const redis = useTestRedis();

/** Two replicas: visitors come to A, and the provider sends them back to B. */
describe.each(PLATFORMS)('LoginGuard with a strategy that redirects, on %s', (platform) => {
  let provider: OauthProvider;
  let podA: StartedApp;
  let podB: StartedApp;
  let visitor: Visitor;

  beforeAll(async () => {
    provider = await startOauthProvider();
    const port = await getPort();
    const module = createModule(provider.url, `http://127.0.0.1:${port}/login/oidc/callback`);
    const startPod = (pod: string, onPort?: number) =>
      startApp(platform, { imports: [module], pod }, onPort);
    podA = await startPod('pod-a');
    podB = await startPod('pod-b', port);
  });

  afterAll(async () => {
    await Promise.all([podA.close(), podB.close()]);
    await provider.close();
  });

  beforeEach(() => {
    visitor = new Visitor(podA.url);
  });

  afterEach(() => {
    provider.isConsentRefused = false;
  });

  it('leads by way of the provider to the page that was asked for, on another replica', async () => {
    const asked = await visitor.open('/members?tab=2');
    expect(asked).toMatchObject({ status: 302, pod: 'pod-a' });
    expect(asked.location).toMatch(/^\/login\/oidc\?continue=/);
    const sent = await visitor.open(asked.location ?? '');
    expect(sent).toMatchObject({ status: 302, pod: 'pod-a' });
    const landed = await visitor.open(await callbackOf(sent.location));
    expect(landed).toMatchObject({ status: 302, location: '/members?tab=2', pod: 'pod-b' });
    visitor.url = podA.url;
    expect(await visitor.open('/members?tab=2')).toMatchObject({ status: 200, text: 'kim' });
  });

  it('stores the state before the redirect leaves, and changes the session id afterwards', async () => {
    const { location } = await visitor.open('/login/oidc');
    const before = await visitor.cookie();
    expect(before).not.toBe('');
    const state = new URL(location ?? '').searchParams.get('state') ?? 'none';
    expect(await storedValues()).toContain(state);
    await visitor.open(await callbackOf(location));
    expect(await visitor.cookie()).not.toBe(before);
    expect(await statusOf('/members', before)).toBe(401);
    expect(await storedValues()).not.toContain(state);
  });

  it('refuses a callback whose state belongs to another visitor', async () => {
    const { location } = await visitor.open('/login/oidc');
    const callback = await callbackOf(location);
    const victim = new Visitor(podA.url);
    await victim.open('/login/oidc');
    expect(await victim.open(callback)).toMatchObject({
      status: 302,
      location: '/login/oidc?reason=bad-credentials',
    });
    expect((await victim.getJson('/members')).status).toBe(401);
  });

  it('refuses a callback that comes again', async () => {
    const { location } = await visitor.open('/login/oidc');
    const callback = await callbackOf(location);
    expect(await visitor.open(callback)).toMatchObject({ status: 302, location: '/' });
    expect((await visitor.open(callback)).location).toBe('/login/oidc?reason=bad-credentials');
  });

  it('answers a login that the user refused at the provider as a failed one', async () => {
    provider.isConsentRefused = true;
    const { location } = await visitor.open('/login/oidc');
    const answer = await visitor.open(await callbackOf(location));
    expect(answer.location).toBe('/login/oidc?reason=bad-credentials');
  });

  /** Where the provider sends the browser. */
  async function callbackOf(location = ''): Promise<string> {
    expect(location).toContain(`${provider.url}/authorize?`);
    const { headers } = await fetch(location, { redirect: 'manual' });
    return headers.get('location') ?? '';
  }

  async function statusOf(path: string, cookie: string): Promise<number> {
    const answer = await fetch(podB.url + path, { headers: { cookie } });
    await answer.text();
    return answer.status;
  }
});

async function storedValues(): Promise<string> {
  const keys = (await redis.allKeys()).filter((key) => key.includes(':sessions:{'));
  return JSON.stringify(await Promise.all(keys.map((key) => redis.client.hgetall(key))));
}

function createModule(providerUrl: string, callbackURL: string) {
  @Injectable()
  class OidcStrategy extends PassportStrategy(Strategy, 'oidc') {
    constructor() {
      super({
        authorizationURL: `${providerUrl}/authorize`,
        tokenURL: `${providerUrl}/token`,
        clientID: OAUTH_CLIENT.id,
        clientSecret: OAUTH_CLIENT.secret,
        callbackURL,
        pkce: true,
        store: oauthStateStore as never,
      });
    }

    override userProfile(accessToken: string, done: (error?: unknown, profile?: unknown) => void) {
      fetch(`${providerUrl}/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } })
        .then((answer) => answer.json())
        .then((profile: unknown) => done(null, profile), done);
    }

    validate(_accessToken: string, _refreshToken: string, { sub, roles }: Profile): object {
      return { name: sub, authorities: roles };
    }
  }

  @Controller()
  class PagesController {
    @Get(['login/oidc', 'login/oidc/callback'])
    @UseGuards(LoginGuard('oidc'))
    login(): void {}

    @Get('members')
    @Authenticated()
    members(@CurrentUser('name') name: string): string {
      return name;
    }
  }

  @Module({
    imports: [
      RedisSessionModule.forRoot({
        redis: process.env['TEST_REDIS_URL'],
        namespace: redis.namespace,
        security: { loginPage: '/login/oidc' },
      }),
    ],
    controllers: [PagesController],
    providers: [OidcStrategy],
  })
  class OidcModule {}
  return OidcModule;
}
