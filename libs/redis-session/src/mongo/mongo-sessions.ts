import { z } from 'zod';
import {
  type OptionsOf,
  flagOption,
  objectOption,
  resolveOptionGroup,
} from '../lib/option-group.js';
import { type SessionStore } from '../session/session-store.js';
import { type MongoDatabase, MongoSessionStore } from './mongo-session-store.js';

/** What `mongoSessions` takes. */
export const mongoOptionGroup = z.strictObject({
  /** Name of the collection of the sessions. The names of the other collections begin with it. */
  collection: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_.-]{0,99}$/)
    .describe('a name of letters, digits, "_", "-" and "."')
    .default('http_sessions'),
  /** Creates the indexes at start where they do not exist. Set it to false if a migration of yours creates them. */
  createIndexes: flagOption.default(true),
  /** Where MongoDB is: a url that names the database, or a `Db` of yours, whose client the module never closes. */
  db: z
    .union([
      z.string().regex(/^mongodb(?:\+srv)?:\/\/[^/]+\/[^/?]+/),
      objectOption<Exclude<MongoDatabase, string>>(''),
    ])
    .describe('a url such as "mongodb://localhost/shop", or a Db'),
});

/** What {@link mongoSessions} takes. */
export interface MongoSessionsOptions extends OptionsOf<typeof mongoOptionGroup> {}

/**
 * Keeps sessions in MongoDB, for the option `store`:
 *
 * ```ts
 * RedisSessionModule.forRoot({ store: mongoSessions({ db: 'mongodb://localhost/shop' }) })
 * ```
 *
 * @throws SessionOptionError naming the option that is unknown or wrong
 */
export function mongoSessions(options: MongoSessionsOptions): SessionStore {
  const naming = { prefix: 'mongoSessions.', secret: ['db'] };
  const { createIndexes: createsIndexes, ...rest } = resolveOptionGroup(
    mongoOptionGroup,
    options,
    naming,
  );
  return new MongoSessionStore({ ...rest, createsIndexes });
}
