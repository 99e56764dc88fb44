import { describe, expect, it } from '@jest/globals';
import { SessionManagementModule } from 'nestjs-redis-session';
import { storageIdOf } from '../../../libs/redis-session/src/session/session-id.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { SESSION_ROUTES } from '../../support/apps/session-controller.js';
import { ADMIN, KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { Visitor } from '../../support/http/visitor.js';
import { useTestRedis } from '../../support/redis/test-redis.js';

type ManagementOptions = Parameters<typeof SessionManagementModule.forRoot>[0];

interface SessionPage {
  readonly sessions: readonly { readonly id?: string; readonly ref?: string }[];
  readonly total: number;
}

const BASE = '/actuator/sessions';
const OF_KIM = `${BASE}?username=kim`;
const UNKNOWN_REF = '0'.repeat(32);

const SETUPS = PLATFORMS.flatMap((platform) => [
  { platform, hashIds: false },
  { platform, hashIds: true as const },
]);

describe.each(SETUPS)('SessionManagementModule on $platform, hashIds: $hashIds', (setup) => {
  const { platform, hashIds } = setup;
  const redis = useTestRedis();
  const start = useApps(platform, redis, SESSION_ROUTES);
  const listedIdOf = (id = '') => (hashIds ? storageIdOf(id) : id);

  async function startManaged(options?: ManagementOptions, contextHolder = true) {
    const namespace = `${redis.namespace}:${Math.random()}`;
    const log = new LoggedLines();
    const { url } = await start(
      {
        ...{ repository: 'indexed', namespace, hashIds },
        indexed: { eventDelivery: 'broadcast' },
        security: { auditLog: true, contextHolder },
      },
      { ...LOGIN_PARTS, imports: [SessionManagementModule.forRoot(options)], log },
    );
    const logIn = async (user: object) => {
      const visitor = new Visitor(url);
      await visitor.post('/login', user);
      return visitor;
    };
    return {
      log,
      namespace,
      anonymous: new Visitor(url),
      admin: await logIn(ADMIN),
      kim: await logIn(KIM),
      logIn,
    };
  }

  const pageOf = async (visitor: Visitor, path = OF_KIM) =>
    (await visitor.get(path)).body as SessionPage;

  it('answers only who has the authority', async () => {
    const { anonymous, kim } = await startManaged();
    for (const path of [OF_KIM, `${BASE}/${UNKNOWN_REF}?username=kim`]) {
      expect((await anonymous.get(path)).status).toBe(401);
      expect((await kim.get(path)).status).toBe(403);
      expect((await kim.remove(path)).status).toBe(path === OF_KIM ? 404 : 403);
    }
  });

  it('answers the same without the SecurityContextHolder', async () => {
    const { anonymous, admin, kim } = await startManaged(undefined, false);
    const statuses = [];
    for (const visitor of [admin, kim, anonymous])
      statuses.push((await visitor.get(OF_KIM)).status);
    expect(statuses).toEqual([200, 403, 401]);
  });

  it('shows sessions as the actuator of Spring does, page by page, but a ref in place of the id', async () => {
    const { admin, logIn } = await startManaged();
    await logIn(KIM);
    await logIn(KIM);
    const { sessions, total } = await pageOf(admin, `${OF_KIM}&offset=1&limit=1`);
    expect(total).toBe(3);
    expect(sessions).toEqual([
      {
        ref: expect.stringMatching(/^[0-9a-f]{32}$/),
        attributeNames: expect.arrayContaining(['SECURITY_CONTEXT']),
        creationTime: expect.stringMatching(/^\d{4}-.*Z$/),
        lastAccessedTime: expect.stringMatching(/Z$/),
        maxInactiveInterval: 1800,
        expired: false,
      },
    ]);
    const { ref = '' } = sessions[0] ?? {};
    expect((await admin.get(`${BASE}/${ref}?username=kim`)).body).toEqual(sessions[0]);
  });

  it('gives nobody an id that logs in', async () => {
    const { admin, kim } = await startManaged();
    const id = (await kim.cookie()) ?? 'no id';
    const { ref } = (await pageOf(admin)).sessions[0] ?? {};
    for (const path of [OF_KIM, `${BASE}/${ref}?username=kim`]) {
      const { text } = await admin.get(path);
      expect(text).toContain('SECURITY_CONTEXT');
      expect(text).not.toContain(id.slice(8));
    }
    expect((await admin.get(`${BASE}/${id}?username=kim`)).status).toBe(404);
  });

  it('ends the session of a ref, and no other', async () => {
    const { admin, kim, logIn } = await startManaged();
    const { ref } = (await pageOf(admin)).sessions[0] ?? {};
    const other = await logIn(KIM);
    expect((await admin.remove(`${BASE}/${ref}?username=kim`)).status).toBe(204);
    expect((await kim.get('/members')).body).toMatchObject({ reason: 'signed-out' });
    expect((await other.get('/members')).status).toBe(200);
    expect((await admin.remove(`${BASE}/${ref}?username=kim`)).status).toBe(404);
  });

  it.each([
    [BASE, 400],
    [`${BASE}?username=`, 400],
    [`${BASE}?username=kim&username=lee`, 400],
    [`${OF_KIM}&limit=0`, 400],
    [`${OF_KIM}&offset=-1`, 400],
    [`${BASE}/${UNKNOWN_REF}`, 400],
    [`${BASE}/${UNKNOWN_REF}?username=kim`, 404],
    [`${BASE}/${UNKNOWN_REF}?username=nobody`, 404],
  ])('answers %s with %i', async (path, status) => {
    const { admin } = await startManaged();
    expect((await admin.get(path)).status).toBe(status);
  });

  it('shows and takes ids, as Spring does, with showsIds', async () => {
    const { admin, kim } = await startManaged({ showsIds: true });
    const cookie = await kim.cookie();
    const id = listedIdOf(cookie);
    const { sessions } = await pageOf(admin);
    expect(sessions).toEqual([expect.objectContaining({ id })]);
    for (const name of [id, cookie])
      expect((await admin.get(`${BASE}/${name}`)).body).toEqual({ ...sessions[0], id: name });
    expect((await admin.remove(`${BASE}/${id}`)).status).toBe(204);
    expect((await admin.get(`${BASE}/${id}`)).status).toBe(404);
    expect((await kim.get('/members')).status).toBe(401);
  });

  if (!hashIds) return;

  it.each([false, true])(
    'answers, logs and stores no id that logs in, with showsIds: %s',
    async (showsIds) => {
      const { admin, kim, logIn, log, namespace } = await startManaged({ showsIds });
      const visitors = [admin, kim, await logIn(KIM)];
      const liveIds = await Promise.all(visitors.map((visitor) => visitor.cookie()));
      const page = await admin.get(OF_KIM);
      const texts = [page.text];
      for (const { id, ref } of (page.body as SessionPage).sessions) {
        const path = `${BASE}/${id ?? ref}?username=kim`;
        texts.push((await admin.get(path)).text, (await admin.remove(path)).text);
        texts.push((await admin.get(path)).text);
      }
      expect((await pageOf(admin)).total).toBe(0);
      expect((await kim.get('/members')).status).toBe(401);
      expect(log.text).toContain('authentication-success');
      texts.push(log.text, await redis.dump(namespace));
      for (const id of liveIds) expect(texts.join('\n')).not.toContain(id?.slice(8));
    },
  );
});
