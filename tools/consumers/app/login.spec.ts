import { Test } from '@nestjs/testing';
import { loginAs, TestClock, withMemorySessions } from 'nestjs-redis-session/testing';
import request from 'supertest';
import { AppModule } from './app.module.js';

describe('a login', () => {
  it('lasts for half an hour without a request', async () => {
    const clock = new TestClock();
    const builder = Test.createTestingModule({ imports: [AppModule] });
    const app = (await withMemorySessions(builder, clock).compile()).createNestApplication();
    await app.init();

    const agent = request.agent(app.getHttpServer());
    await agent.get('/members').expect(401);
    await loginAs(agent, { id: 1, name: 'kim' });
    await agent.get('/members').expect(200, 'Hello kim.');
    clock.advanceSeconds(1800);
    await agent.get('/members').expect(401);
    await app.close();
  });
});
