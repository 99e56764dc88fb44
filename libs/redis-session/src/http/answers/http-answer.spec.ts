import { describe, expect, it } from '@jest/globals';
import { SessionStoreError } from '../../session/session.errors.js';
import { failureAnswer } from '../request/failures.js';
import { problemAnswer } from './http-answer.js';

describe(problemAnswer, () => {
  it('is problem details that nobody may store', () => {
    const answer = problemAnswer({ status: 403, detail: 'No.', reason: 'denied' });
    expect(answer.statusCode).toBe(403);
    expect(answer.headers).toEqual({
      'Cache-Control': 'no-store',
      'Content-Type': 'application/problem+json',
    });
    expect(JSON.parse(answer.body)).toEqual({
      type: 'about:blank',
      title: 'Forbidden',
      status: 403,
      detail: 'No.',
      reason: 'denied',
    });
  });

  it('leaves out a reason that there is not', () => {
    const { body } = problemAnswer({ status: 401, detail: 'Log in.' });
    expect(Object.keys(JSON.parse(body) as object)).toEqual(['type', 'title', 'status', 'detail']);
  });

  it('has a title for a status without a name', () => {
    expect(problemAnswer({ status: 499, detail: 'x' }).body).toContain('"title":"Error"');
  });
});

describe(failureAnswer, () => {
  it('tells to come back when the store failed, and nothing of the cause', () => {
    const error = SessionStoreError.create('load the session', new Error('10.0.0.7 refused'));
    const { statusCode, headers, body } = failureAnswer(error);
    expect(statusCode).toBe(503);
    expect(headers['Retry-After']).toBe('1');
    expect(JSON.parse(body)).toMatchObject({ status: 503, title: 'Service Unavailable' });
    expect(body).not.toContain('10.0.0.7');
  });

  it('has no Retry-After when trying again is of no use', () => {
    const { statusCode, headers } = failureAnswer(new Error('x'));
    expect(statusCode).toBe(500);
    expect(headers).not.toHaveProperty('Retry-After');
  });
});
