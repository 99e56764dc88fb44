import { describe, expect, it } from '@jest/globals';
import { blocksOf } from '../support/blocks/pages.js';
import { runBlocks } from '../support/blocks/written-blocks.js';

const PAGE = 'docs/sessions-of-a-user.md';
const textOf = (page: string, part: string): string =>
  [...blocksOf(page).values()].find((code) => code.includes(part))!;

/** The page's controller in the application of the page that readers have seen before. */
const TEST = `
import { it, expect } from '@jest/globals';
import { Test } from '@nestjs/testing';
import { loginAs, withMemorySessions } from 'nestjs-redis-session/testing';
import request from 'supertest';
import { sessions } from './page.js';
import { AppModule } from './login.js';
import { MySessionsController } from './controller.js';

it('signs out elsewhere', async () => {
  const parts = (name) => Reflect.getMetadata(name, AppModule);
  const builder = Test.createTestingModule({
    imports: [sessions],
    controllers: [MySessionsController, ...parts('controllers')],
    providers: parts('providers'),
  });
  const app = (await withMemorySessions(builder).compile()).createNestApplication();
  await app.init();
  const [laptop, phone, tablet] = [1, 2, 3].map(() => request.agent(app.getHttpServer()));
  const logIn = (agent) => agent.post('/login').send({ username: 'kim', password: 'kim' }).expect(201);
  await logIn(laptop);
  await logIn(phone);
  const { rows } = (await laptop.get('/sessions').expect(200)).body;
  expect(rows.map(({ isCurrent }) => isCurrent).sort()).toEqual([false, true]);
  const { ref } = rows.find(({ isCurrent }) => !isCurrent);
  await laptop.post('/sessions/end').send({ ref }).expect(201, { isEnded: true });
  await phone.get('/members').expect(401);
  await logIn(tablet);
  await laptop.post('/sessions/end-others').expect(201, { count: 1 });
  await tablet.get('/members').expect(401);
  await laptop.get('/members').expect(200);
  await app.close();
});
`;

describe('the page of sessions of a user', () => {
  it('shows code that works with the user of docs/getting-started.md', async () => {
    const block = { place: PAGE, page: PAGE, code: TEST };
    const files = {
      controller: textOf(PAGE, 'MySessionsController'),
      login: textOf('docs/getting-started.md', 'class AppModule'),
    };
    const urls = { 'redis://localhost:6379': process.env['TEST_REDIS_URL']! };
    expect(await runBlocks([block], urls, { [PAGE]: files })).toEqual({});
  });
});
