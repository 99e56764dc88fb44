import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import { BlobSessionController } from './blob-session.controller.mjs';
import { addEquals } from './equals.mjs';
import { createRedisStore, SECRET } from './redis-store.mjs';

/**
 * @fastify/session with connect-redis. `rolling: true`, its default, is the setting under which an active session lives on.
 *
 * @returns {Promise<import('./contestant.mjs').Contestant>}
 */
export async function fastifySessionWithRedis(setup) {
  const store = await createRedisStore(setup);
  return {
    controllers: [BlobSessionController],
    prepare: async (app) => {
      addEquals(app);
      await app.register(fastifyCookie);
      await app.register(fastifySession, {
        store,
        secret: SECRET,
        saveUninitialized: false,
        cookie: { secure: false },
        ...setup.options,
      });
    },
  };
}
