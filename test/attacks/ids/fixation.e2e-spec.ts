import { describe, expect, it } from '@jest/globals';
import { type RedisSessionModuleOptions, nearCache } from 'nestjs-redis-session';
import { expressSession } from 'nestjs-redis-session/express-session';
import { PLATFORMS, useApps } from '../../support/apps/start-app.js';
import { SESSION_ROUTES } from '../../support/apps/session-controller.js';
import { KIM, LOGIN_PARTS } from '../../support/apps/login-parts.js';
import { useTestRedis } from '../../support/redis/test-redis.js';
import { Visitor } from '../../support/http/visitor.js';

const ENCRYPTION = { keys: [Buffer.alloc(32, 7).toString('base64')] };

const CONFIGURATIONS: [string, RedisSessionModuleOptions][] = [
  ['the defaults', {}],
  ['migrate-session', { security: { sessionFixation: 'migrate-session' } }],
  ['new-session', { security: { sessionFixation: 'new-session' } }],
  ["repository: 'indexed'", { repository: 'indexed' }],
  ["load: 'lazy'", { load: 'lazy' }],
  ['a near cache', { features: [nearCache({ maxSessions: 10 })] }],
  ['hashed ids and a near cache', { hashIds: true, features: [nearCache({ maxSessions: 10 })] }],
  ['hashed ids and encrypted attributes', { hashIds: true, encryption: ENCRYPTION }],
  ['req.session and passport', { features: [expressSession({ passport: true })] }],
  ['signed cookies', { cookie: { secrets: ['a-secret-of-32-characters-or-more!'] } }],
  ['sessions in memory', { store: 'memory', redis: undefined, namespace: undefined }],
];

describe.each(PLATFORMS)(
  'An id that an attacker has planted before the login, on %s',
  (platform) => {
    const redis = useTestRedis();
    const start = useApps(platform, redis, SESSION_ROUTES);

    it.each(CONFIGURATIONS)('logs nobody in after it, with %s', async (_, options) => {
      const { url } = await start(options, LOGIN_PARTS);
      const attacker = new Visitor(url);
      expect((await attacker.put('/attributes', { planted: true })).status).toBe(200);
      const planted = await attacker.cookie();
      expect(planted).toBeDefined();

      const victim = await attacker.twin();
      expect((await victim.post('/login', KIM)).status).toBe(200);
      expect(await victim.cookie()).not.toBe(planted);
      expect((await victim.get('/members')).status).toBe(200);
      for (let i = 0; i < 2; i++) {
        const twin = await attacker.twin();
        expect((await twin.get('/members')).status).toBe(401);
      }

      const again = await victim.twin();
      await victim.post('/login', KIM);
      expect((await again.get('/members')).status).toBe(401);
      expect((await victim.get('/members')).status).toBe(200);
    });
  },
);
