import session from 'express-session';
import { BlobSessionController } from './blob-session.controller.mjs';
import { addEquals } from './equals.mjs';
import { createRedisStore, SECRET } from './redis-store.mjs';

/**
 * express-session with connect-redis, with the settings that both READMEs recommend.
 *
 * @returns {Promise<import('./contestant.mjs').Contestant>}
 */
export async function expressSession(setup) {
  const store = await createRedisStore(setup);
  return {
    controllers: [BlobSessionController],
    prepare: (app) => {
      addEquals(app);
      app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false }));
    },
  };
}
