import {
  type SessionIndexOptions,
  principalNameOf,
} from '../../libs/redis-session/src/session/session-store.js';

/** What an indexed repository is told that a test makes by itself. */
export const INDEX_OPTIONS: SessionIndexOptions = {
  eventAttributes: 'all',
  eventDelivery: 'once',
  indexes: {},
  maxEvents: 100,
  maximumSessions: -1,
  maximumSessionsPolicy: 'expire-oldest',
  principalName: principalNameOf,
  retentionSeconds: 60,
};
