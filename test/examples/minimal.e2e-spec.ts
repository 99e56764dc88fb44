import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Visitor } from '../support/http/visitor.js';
import { buildExample, type Example, startExample } from './start-example.js';

const KIM = { username: 'kim', password: 'kim' };

describe('examples/minimal', () => {
  let example: Example;

  beforeAll(async () => {
    await buildExample('minimal');
    example = await startExample('minimal');
  }, 60_000);

  afterAll(() => example.stop());

  it('sends a visitor to the login and back, and counts visits until the logout', async () => {
    const visitor = new Visitor(example.url);
    expect((await visitor.open('/')).headers['location']).toBe('/members');
    const refused = await visitor.open('/members');
    expect(refused.headers['location']).toMatch(/^\/login/);
    const login = await visitor.submit('/login', KIM);
    expect(login.headers['location']).toBe('/members');
    expect((await visitor.open('/members')).text).toContain('Hello kim. Visit 1 ');
    expect((await visitor.open('/members')).text).toContain('Hello kim. Visit 2 ');
    expect((await visitor.submit('/logout')).headers['location']).toBe('/login');
    expect((await visitor.open('/members')).status).toBe(302);
  });

  it('tells a browser that the password is wrong', async () => {
    const visitor = new Visitor(example.url);
    const wrong = await visitor.submit('/login', { ...KIM, password: 'wrong' });
    const page = await visitor.open(wrong.headers['location'] ?? '');
    expect(page.text).toContain('Wrong name or password.');
  });

  it('refuses a login form that another site sends', async () => {
    const visitor = new Visitor(example.url);
    const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://attacker.example' };
    expect((await visitor.post('/login', KIM, headers)).status).toBe(403);
  });
});
