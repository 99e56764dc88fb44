import { Redis } from 'ioredis';
import { makeController } from './controller.mjs';
import { USER } from './attributes.mjs';

const KEY = 'floor:user';

/**
 * The least that a session in Redis can cost: the handler awaits one `GET`, which ioredis sends in a pipeline with those
 * of the requests at the same time.
 *
 * @returns {Promise<import('./contestant.mjs').Contestant>}
 */
export async function floor({ redisUrl }) {
  const redis = new Redis(redisUrl, { enableAutoPipelining: true });
  await redis.set(KEY, JSON.stringify({ name: USER.username }));

  class FloorController {
    hello() {
      return { hello: 'world' };
    }

    async me() {
      return JSON.parse(await redis.get(KEY));
    }
  }
  makeController(FloorController, {
    hello: { route: 'GET /hello' },
    me: { route: 'GET /me' },
  });
  return { controllers: [FloorController] };
}
