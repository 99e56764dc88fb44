import { Redis } from 'ioredis';
import { LEAST_KNOWN_BYTES } from '../../libs/redis-session/dist/redis/sessions/known-hashes.js';
import { loadSessions } from '../../libs/redis-session/dist/redis/lua/scripts.generated.js';
import { makeController } from './controller.mjs';
import { CART, USER } from './attributes.mjs';

const KEY = 'floor:user';
const SESSION_KEY = 'floor:session';

/**
 * The least that a session in Redis can cost: the handler awaits one `GET`, which ioredis sends in a pipeline with those
 * of the requests at the same time. With `isScript`, it awaits the one script that reads a session and records the access.
 *
 * @returns {Promise<import('./contestant.mjs').Contestant>}
 */
export async function floor({ redisUrl, options }) {
  const redis = new Redis(redisUrl, { enableAutoPipelining: true, replyMapping: 'legacy' });
  await redis.set(KEY, JSON.stringify({ name: USER.username }));
  await redis.hset(SESSION_KEY, {
    creationTime: Date.now(),
    lastAccessedTime: Date.now(),
    maxInactiveInterval: 1800,
    'sessionAttr:SECURITY_CONTEXT': JSON.stringify({ authentication: { name: USER.username } }),
    'sessionAttr:cart': JSON.stringify(CART),
  });
  redis.defineCommand('load', { ...loadSessions, numberOfKeys: 1 });
  const findName = options.isScript
    ? async () => {
        const now = Date.now();
        const [, , , text] = await redis.load(
          SESSION_KEY,
          now,
          now + 2000,
          -1,
          LEAST_KNOWN_BYTES,
          now,
          0,
          '',
        );
        const parts = text.split('\0');
        const context = JSON.parse(parts[parts.indexOf('sessionAttr:SECURITY_CONTEXT') + 1]);
        return { name: context.authentication.name };
      }
    : async () => JSON.parse(await redis.get(KEY));

  class FloorController {
    hello() {
      return { hello: 'world' };
    }

    async me() {
      return findName();
    }
  }
  makeController(FloorController, {
    hello: { route: 'GET /hello' },
    me: { route: 'GET /me' },
  });
  return { controllers: [FloorController] };
}
