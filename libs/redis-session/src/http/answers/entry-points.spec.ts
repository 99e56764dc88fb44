import { describe, expect, it } from '@jest/globals';
import {
  BROWSER,
  TestExchange,
  type TestExchangeInput,
} from '../../../../../test/support/http/test-exchange.js';
import { SessionOptionError } from '../../session/session.errors.js';
import { type AuthenticationFailureReason } from '../../security/authentication.js';
import {
  type AuthenticationEntryPoint,
  BasicEntryPoint,
  defaultEntryPoint,
  DelegatingEntryPoint,
  LoginPageEntryPoint,
  ProblemEntryPoint,
} from './entry-points.js';
import { setContinueKey } from '../saved-requests/request-cache.js';
import { type HttpAnswer } from './http-answer.js';

function answerOf(
  entryPoint: AuthenticationEntryPoint,
  init?: TestExchangeInput,
  reason?: AuthenticationFailureReason,
): HttpAnswer {
  const exchange = new TestExchange(init);
  entryPoint.commence(exchange, reason);
  expect(exchange.answers).toHaveLength(1);
  return exchange.answers[0]!;
}

describe(LoginPageEntryPoint, () => {
  it('redirects to a URL without a host', () => {
    expect(answerOf(new LoginPageEntryPoint('/login'))).toEqual({
      statusCode: 302,
      headers: { 'Cache-Control': 'no-store', Location: '/login' },
    });
  });

  it('has the browser ask for the login page after a form, not post there', () => {
    expect(answerOf(new LoginPageEntryPoint('/login'), { method: 'POST' }).statusCode).toBe(303);
  });

  it.each([
    ['/login', 'insufficient', '/login?reason=insufficient'],
    ['/login?lang=en', 'session-ended', '/login?lang=en&reason=session-ended'],
    ['/app#/login', 'insufficient', '/app?reason=insufficient#/login'],
    [
      'https://sso.example.net/in',
      'insufficient',
      'https://sso.example.net/in?reason=insufficient',
    ],
    ['/login', 'unauthenticated', '/login'],
  ] as const)('sends %s with %s to %s', (loginPage, reason, location) => {
    const answer = answerOf(new LoginPageEntryPoint(loginPage), {}, reason);
    expect(answer.headers?.['Location']).toBe(location);
  });

  it('tells the login page which saved request to go back to', () => {
    const exchange = new TestExchange();
    setContinueKey(exchange, 'Xy3_9aQz');
    new LoginPageEntryPoint('/login').commence(exchange, 'insufficient');
    expect(exchange.answers[0]?.headers?.['Location']).toBe(
      '/login?reason=insufficient&continue=Xy3_9aQz',
    );
  });

  it.each([
    '',
    'login',
    '//login',
    '/\\login',
    'javascript:alert(1)',
    'https:/x',
    '/login\r\nA: b',
  ])('refuses %j as login page', (loginPage) => {
    expect(() => new LoginPageEntryPoint(loginPage)).toThrow(SessionOptionError);
  });
});

describe(ProblemEntryPoint, () => {
  it('answers 401 with the reason and no challenge', () => {
    const { statusCode, headers, body } = answerOf(new ProblemEntryPoint(), {}, 'insufficient');
    expect(statusCode).toBe(401);
    expect(headers).not.toHaveProperty('WWW-Authenticate');
    expect(JSON.parse(body!)).toMatchObject({ status: 401, reason: 'insufficient' });
  });
});

describe(BasicEntryPoint, () => {
  const entryPoint = new BasicEntryPoint('Orders (test)');

  it('challenges with the realm', () => {
    expect(answerOf(entryPoint)).toMatchObject({
      statusCode: 401,
      headers: { 'WWW-Authenticate': 'Basic realm="Orders (test)", charset="UTF-8"' },
    });
  });

  it.each([
    { 'x-requested-with': 'XMLHttpRequest' },
    { 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' },
  ])('opens no password dialog for a script: %j', (headers) => {
    const answer = answerOf(entryPoint, { headers });
    expect(answer.statusCode).toBe(401);
    expect(answer.headers).not.toHaveProperty('WWW-Authenticate');
  });

  it.each(['', 'a"b', 'a\\b', 'a\r\nb', 'ä'])('refuses %j as realm', (realm) => {
    expect(() => new BasicEntryPoint(realm)).toThrow(SessionOptionError);
  });
});

describe(DelegatingEntryPoint, () => {
  const entryPoint = new DelegatingEntryPoint(
    [
      [({ url }) => url.startsWith('/admin'), new LoginPageEntryPoint('/admin/login')],
      [({ url }) => url.startsWith('/a'), new LoginPageEntryPoint('/login')],
    ],
    new ProblemEntryPoint(),
  );

  it.each([
    ['/admin/users', '/admin/login?reason=session-ended'],
    ['/account', '/login?reason=session-ended'],
    ['/orders', undefined],
  ])('leaves %s to the first that matches', (url, location) => {
    const { headers } = answerOf(entryPoint, { url }, 'session-ended');
    expect(headers?.['Location']).toBe(location);
  });
});

describe(defaultEntryPoint, () => {
  it('sends browsers to the login page', () => {
    const answer = answerOf(defaultEntryPoint('/login'), { headers: BROWSER });
    expect(answer.statusCode).toBe(302);
  });

  it.each([
    ['programs', { accept: '*/*' }],
    ['scripts', { ...BROWSER, 'x-requested-with': 'XMLHttpRequest' }],
    ['event streams', { accept: 'text/event-stream' }],
  ])('answers 401 to %s', (_, headers) => {
    expect(answerOf(defaultEntryPoint('/login'), { headers }).statusCode).toBe(401);
  });

  it('sends browsers there that send the form of the login page, and answers 401 to those that ask for the page', () => {
    const form = { ...BROWSER, 'content-type': 'application/x-www-form-urlencoded' };
    const entryPoint = defaultEntryPoint('/login');
    const sent = answerOf(entryPoint, { url: '/login', method: 'POST', headers: form });
    expect([sent.statusCode, sent.headers?.['Location']]).toEqual([303, '/login']);
    expect(answerOf(entryPoint, { url: '/login', headers: BROWSER }).statusCode).toBe(401);
  });

  it('answers 401 to browsers when there is no login page', () => {
    expect(answerOf(defaultEntryPoint(), { headers: BROWSER }).statusCode).toBe(401);
  });
});
