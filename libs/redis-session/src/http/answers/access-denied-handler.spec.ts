import { describe, expect, it } from '@jest/globals';
import { BROWSER, TestExchange } from '../../../../../test/support/http/test-exchange.js';
import { type AccessDeniedHandler, defaultAccessDeniedHandler } from './access-denied-handler.js';
import { type HttpAnswer } from './http-answer.js';

function answerOf(handler: AccessDeniedHandler, exchange: TestExchange): HttpAnswer {
  handler.handle(exchange);
  expect(exchange.answers).toHaveLength(1);
  return exchange.answers[0]!;
}

const browser = () => new TestExchange({ headers: BROWSER });
const program = () => new TestExchange({ headers: { accept: 'application/json' } });

describe(defaultAccessDeniedHandler, () => {
  it('shows browsers a page', () => {
    const answer = answerOf(defaultAccessDeniedHandler(), browser());
    expect(answer.statusCode).toBe(403);
    expect(answer.headers?.['Content-Type']).toBe('text/html; charset=utf-8');
    expect(answer.body).toContain('<h1>Forbidden</h1>');
  });

  it('shows browsers the page of the application', () => {
    const handler = defaultAccessDeniedHandler({ page: ({ url }) => `<p>${url}</p>` });
    const answer = answerOf(handler, new TestExchange({ url: '/a', headers: BROWSER }));
    expect(answer).toMatchObject({ statusCode: 403, body: '<p>/a</p>' });
  });

  it('sends browsers to the error page', () => {
    const answer = answerOf(defaultAccessDeniedHandler({ errorPage: '/denied' }), browser());
    expect(answer).toMatchObject({ statusCode: 302, headers: { Location: '/denied' } });
  });

  it('answers programs with problem details, error page or not', () => {
    const answer = answerOf(defaultAccessDeniedHandler({ errorPage: '/denied' }), program());
    expect(answer.statusCode).toBe(403);
    expect(JSON.parse(answer.body!)).toMatchObject({ title: 'Forbidden', reason: 'denied' });
  });
});

describe('a handler that is told why', () => {
  const denial = { detail: 'Send <b> & more.', reason: 'missing-csrf-token' } as const;

  it.each([
    ['a page', BROWSER, '<p>Send &#60;b> &#38; more.</p>'],
    ['problem details', { accept: 'application/json' }, '"detail":"Send <b> & more."'],
  ])('says so by %s', (_name, headers, text) => {
    const exchange = new TestExchange({ headers });
    defaultAccessDeniedHandler().handle(exchange, denial);
    expect(exchange.answers[0]?.body).toContain(text);
  });
});
