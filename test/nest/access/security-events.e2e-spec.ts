import { afterEach, describe, expect, it } from '@jest/globals';
import { type SecurityEvent, SecurityEvents } from 'nestjs-redis-session';
import { PLATFORMS, startApp, type StartedApp } from '../../support/apps/start-app.js';
import { LoggedLines } from '../../support/apps/logged-lines.js';
import { KIM, LOGIN_PARTS, PASSWORD } from '../../support/apps/login-parts.js';
import { Visitor } from '../../support/http/visitor.js';

const NOW_MS = Date.UTC(2026, 0, 1);
const REF = /^[0-9a-f]{8}$/;

describe.each(PLATFORMS)('SecurityEvents on %s', (platform) => {
  const log = new LoggedLines();
  let app: StartedApp;
  let events: SecurityEvent[];

  const start = async (auditLog: boolean) => {
    app = await startApp(platform, {
      ...LOGIN_PARTS,
      options: {
        store: 'memory',
        clock: () => NOW_MS,
        security: { loginPage: '/login', logout: {}, auditLog },
      },
      prepare: (nest) => nest.useLogger(log),
    });
    events = [];
    app.app.get(SecurityEvents).events$.subscribe((event) => events.push(event));
    return new Visitor(app.url);
  };
  /** Everything that there are events for. @returns the ids of the sessions on the way */
  const live = async (visitor: Visitor) => {
    await visitor.post('/login', { username: PASSWORD, password: 'typo' });
    await visitor.open('/members');
    const ids = [await visitor.cookie()];
    await visitor.submit('/login', KIM);
    ids.push(await visitor.cookie());
    await visitor.open('/admin');
    await visitor.post('/logout');
    await visitor.post('/logout');
    return ids;
  };

  afterEach(async () => {
    log.clear();
    await app.close();
  });

  it('tells of logins, denials and logouts, and of nothing else', async () => {
    await live(await start(false));
    const sessionRef = expect.stringMatching(REF) as unknown;
    expect(events).toEqual([
      {
        type: 'authentication-failure',
        timeMs: NOW_MS,
        reason: 'bad-credentials',
        strategy: 'local',
      },
      {
        type: 'session-id-changed',
        timeMs: NOW_MS,
        previousSessionRef: sessionRef,
        sessionRef,
      },
      {
        type: 'authentication-success',
        timeMs: NOW_MS,
        name: 'kim',
        kind: 'full',
        strategy: 'local',
        sessionRef,
      },
      {
        type: 'access-denied',
        timeMs: NOW_MS,
        name: 'kim',
        target: 'LoginController.admin',
        sessionRef,
      },
      { type: 'logout', timeMs: NOW_MS, name: 'kim', sessionRef },
    ]);
    expect(log.text).not.toContain('authentication-success');
  });

  it('writes a line for each into the audit log, without ids, cookies and credentials', async () => {
    const ids = await live(await start(true));
    const lines = log.text.match(/'2026-01-01T00:00:00.000Z .*?'/g);
    expect(lines?.map((line) => line.split(' ')[1]?.replace(/'$/, ''))).toEqual(
      events.map(({ type }) => type),
    );
    for (const secret of [...ids, ...ids.map((id) => id?.slice(0, 8)), PASSWORD, 'typo']) {
      expect(secret).toBeDefined();
      expect(log.text).not.toContain(secret);
      expect(JSON.stringify(events)).not.toContain(secret);
    }
  });
});
