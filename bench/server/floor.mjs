import { Redis } from 'ioredis';
import { USER } from './attributes.mjs';
import { makeController } from './controller.mjs';
import { addEquals, UserOfRequest } from './equals.mjs';

const KEY = 'floor:user';

/**
 * The least that a session in Redis can cost: the handler awaits one `GET`, which ioredis sends in a pipeline with those
 * of the requests at the same time. Guard, parameter decorator and, when asked for, interceptor are as many as ours.
 *
 * @returns {Promise<import('./contestant.mjs').Contestant>}
 */
export async function floor({ redisUrl, options }) {
  const redis = new Redis(redisUrl, { enableAutoPipelining: true, replyMapping: 'legacy' });
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
    me: { route: 'GET /me', params: [UserOfRequest()] },
  });
  return { controllers: [FloorController], prepare: (app) => addEquals(app, options) };
}
