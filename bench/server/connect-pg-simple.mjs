import connectPgSimple from 'connect-pg-simple';
import session from 'express-session';
import { BlobSessionController } from './blob-session.controller.mjs';
import { addEquals } from './equals.mjs';
import { IDLE_SECONDS, SECRET } from './redis-store.mjs';

const PgStore = connectPgSimple(session);

/**
 * express-session with connect-pg-simple, with the settings that its README recommends.
 *
 * @returns {import('./contestant.mjs').Contestant}
 */
export function expressSessionWithPostgres({ postgresUrl }) {
  const store = new PgStore({
    conString: postgresUrl,
    createTableIfMissing: true,
    ttl: IDLE_SECONDS,
  });
  return {
    controllers: [BlobSessionController],
    prepare: (app) => {
      addEquals(app);
      app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false }));
    },
  };
}
