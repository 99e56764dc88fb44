// node tools/files-of-requests.mjs: which source files of the library one request runs through, once the application is warm.
// Prints them for four requests as JSON: `{ "get": ["session/map-session.ts", …], … }`. Build the library first.
import { Session } from 'node:inspector/promises';
import { Body, Controller, Get, Module, Post, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import passport from 'passport';
import {
  Authenticated,
  CurrentSession,
  CurrentUser,
  LoginGuard,
  RedisSessionModule,
} from '../libs/redis-session/build/index.js';
import { startRedisServer } from './servers/redis-server.mjs';

const LIBRARY = new URL('../libs/redis-session/build/', import.meta.url).href;
const WARM_UP_REQUESTS = 3;

class SessionController {
  me(user) {
    return { name: user.username };
  }

  change(session, { value }) {
    session.setAttribute('value', value);
    return { value };
  }

  login() {
    return { ok: true };
  }
}

const { prototype } = SessionController;
const decorate = (name, ...decorators) => {
  for (const decorator of decorators)
    decorator(prototype, name, Object.getOwnPropertyDescriptor(prototype, name));
};
Controller()(SessionController);
decorate('me', Get('me'), Authenticated());
CurrentUser()(prototype, 'me', 0);
decorate('change', Post('change'));
CurrentSession()(prototype, 'change', 0);
Body()(prototype, 'change', 1);
decorate('login', Post('login'), UseGuards(LoginGuard('kim')));
passport.use('kim', {
  authenticate() {
    this.success({ username: 'kim' });
  },
});

class AppModule {}

const redis = await startRedisServer();
Module({
  imports: [RedisSessionModule.forRoot({ redis: redis.url, security: { loginPage: '/login' } })],
  controllers: [SessionController],
})(AppModule);
const app = await NestFactory.create(AppModule, { logger: false });
try {
  await app.listen(0, '127.0.0.1');
  console.log(JSON.stringify(await filesOfRequests(await app.getUrl()), undefined, 2));
} finally {
  await app.close();
  await redis.stop();
}

async function filesOfRequests(url) {
  let value = 0;
  const cookie = cookieOf(await fetch(`${url}/login`, { method: 'POST' }));
  const headers = { cookie, 'content-type': 'application/json' };
  const change = () =>
    fetch(`${url}/change`, { method: 'POST', headers, body: JSON.stringify({ value: ++value }) });
  // A browser that asked for a page before, and then sends the form.
  let visitor = '';
  const html = { accept: 'text/html' };
  const visit = async () => {
    visitor = cookieOf(await fetch(`${url}/me`, { headers: html, redirect: 'manual' }));
  };
  const login = () => {
    const body = new URLSearchParams({ username: 'kim' });
    const sent = { ...html, cookie: visitor };
    return fetch(`${url}/login`, { method: 'POST', headers: sent, body, redirect: 'manual' });
  };
  const ended = `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`;
  return {
    get: await filesOf(() => fetch(`${url}/me`, { headers }), 200),
    change: await filesOf(change, 201),
    login: await filesOf(login, 303, visit),
    expired: await filesOf(() => fetch(`${url}/me`, { headers: { cookie: ended } }), 401),
  };
}

function cookieOf(response) {
  return response.headers.getSetCookie()[0].split(';')[0];
}

/** The source files of which at least one function runs while `send` is answered. `prepare` is called before each time. */
async function filesOf(send, status, prepare = () => undefined) {
  for (let sent = 0; sent < WARM_UP_REQUESTS; sent += 1) {
    await prepare();
    await expectStatus(send, status);
  }
  await prepare();
  const inspector = new Session();
  inspector.connect();
  await inspector.post('Profiler.enable');
  await inspector.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await inspector.post('Profiler.takePreciseCoverage');
  await expectStatus(send, status);
  const { result } = await inspector.post('Profiler.takePreciseCoverage');
  inspector.disconnect();
  return result
    .filter(({ url, functions }) => url.startsWith(LIBRARY) && functions.some(hasRun))
    .map(({ url }) => url.slice(LIBRARY.length).replace(/\.js$/, '.ts'))
    .sort();
}

function hasRun({ ranges }) {
  return ranges[0].count > 0;
}

async function expectStatus(send, status) {
  const response = await send();
  await response.text();
  if (response.status !== status)
    throw new Error(`Cannot count: answered ${response.status}, not ${status}.`);
}
