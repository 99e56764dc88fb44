import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import supertest from 'supertest';

/** The application at work; `close` ends all of it. */
export interface RunningApp {
  readonly url: string;
  close(): Promise<void>;
}

const KIM = { username: 'kim', password: 'kim' };

/** The tests of the application, which know of no session library either. */
export function describeSampleApp(name: string, start: () => Promise<RunningApp>): void {
  describe(name, () => {
    let app: RunningApp;

    beforeAll(async () => {
      app = await start();
    });

    afterAll(() => app.close());

    const newVisitor = () => supertest.agent(app.url);

    it('counts the views of a visitor', async () => {
      const visitor = newVisitor();
      await visitor.get('/views').expect(200, '1');
      await visitor.get('/views').expect(200, '2');
      await newVisitor().get('/views').expect(200, '1');
    });

    it('keeps a cart that is changed in place, and forgets it when it is deleted', async () => {
      const visitor = newVisitor();
      await visitor.post('/cart').send({ item: 'tea' }).expect(200, ['tea']);
      await visitor.post('/cart').send({ item: 'milk' }).expect(200, ['tea', 'milk']);
      await visitor.get('/cart').expect(200, ['tea', 'milk']);
      await visitor.delete('/cart').expect(200, { hasCart: false });
      await visitor.get('/cart').expect(200, []);
    });

    it('lists what is stored', async () => {
      const visitor = newVisitor();
      await visitor.post('/cart').send({ item: 'tea' });
      const { body } = (await visitor.get('/stored')) as { body: unknown };
      expect(body).toMatchObject({
        names: ['cart', 'cookie'],
        json: { cart: { items: ['tea'] }, cookie: { path: '/', httpOnly: true } },
      });
    });

    it('shows a message once', async () => {
      const visitor = newVisitor();
      await visitor.post('/messages').send({ message: 'saved' }).expect(200);
      await visitor.get('/messages').expect(200, ['saved']);
      await visitor.get('/messages').expect(200, []);
    });

    it('starts over with an empty session', async () => {
      const visitor = newVisitor();
      await visitor.post('/cart').send({ item: 'tea' });
      await visitor.post('/start-over').expect(200, { hasCart: false });
      await visitor.get('/cart').expect(200, []);
      await visitor.get('/views').expect(200, '101');
    });

    it('forgets a session that was ended', async () => {
      const visitor = newVisitor();
      await visitor.post('/cart').send({ item: 'tea' });
      await visitor.delete('/session').expect(200);
      await visitor.get('/cart').expect(200, []);
    });

    it('gives one visitor a cookie that outlives the browser', async () => {
      const visitor = newVisitor();
      const ordinary = await visitor.get('/views');
      expect(ordinary.headers['set-cookie']?.[0]).not.toContain('Expires=');
      const lasting = await visitor.post('/remember').expect(200);
      expect(lasting.headers['set-cookie']?.[0]).toContain('Expires=');
      await visitor.get('/views').expect(200, '1');
    });

    it('refuses an anonymous visitor, and a wrong password', async () => {
      const visitor = newVisitor();
      await visitor.get('/me').expect(403);
      await visitor.post('/login').send({ username: 'kim', password: 'wrong' }).expect(401);
      await visitor.get('/me').expect(403);
    });

    it.each(['kim', 'root'])('logs %s in and out', async (user) => {
      const visitor = newVisitor();
      const { body } = (await visitor
        .post('/login')
        .send({ username: user, password: user })
        .expect(200)) as { body: unknown };
      expect(body).toMatchObject({ name: user });
      await visitor.get('/me').expect(200, body as object);
      await visitor.post('/logout').expect(200, { isAuthenticated: false });
      await visitor.get('/me').expect(403);
    });

    it('gives the session another id at login, and keeps nothing of what a visitor had', async () => {
      const visitor = newVisitor();
      const before = cookieOf(await visitor.post('/cart').send({ item: 'tea' }));
      const after = cookieOf(await visitor.post('/login').send(KIM).expect(200));
      expect(after).not.toBe(before);
      await visitor.get('/cart').expect(200, []);
      const attacker = supertest(app.url).get('/me').set('Cookie', before);
      await attacker.expect(403);
    });

    it('keeps the cart over a login that says so', async () => {
      const visitor = newVisitor();
      await visitor.post('/cart').send({ item: 'tea' });
      await visitor.post('/login-keeping').send(KIM).expect(200);
      await visitor.get('/cart').expect(200, ['tea']);
      await visitor.get('/me').expect(200, { id: 1, name: 'kim' });
    });
  });
}

function cookieOf({ headers }: { headers: Record<string, string | string[]> }): string {
  return String(headers['set-cookie']?.[0]).split(';')[0] ?? '';
}
