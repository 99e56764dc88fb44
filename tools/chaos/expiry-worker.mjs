// A replica without HTTP: ends expired sessions and handles their events, until it is killed.
// node expiry-worker.mjs <url of Redis> <namespace> <name>, forked; sends { sessionId, eventId } of each end before it counts as handled.
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { RedisIndexedSessionRepository } from 'nestjs-redis-session/store';

/** Much shorter than the minute of applications: workers die all the time here. */
const HAND_ON_AFTER_MS = 2_000;

const [url, namespace, replicaName] = process.argv.slice(2);
const client = new Redis(url);
client.on('error', () => undefined);
const repository = new RedisIndexedSessionRepository(client, { eventDelivery: 'once', namespace });
const tell = promisify(process.send.bind(process));
const events = repository.createEventSource({
  delivery: 'once',
  deletesHandled: true,
  handOnAfterMs: HAND_ON_AFTER_MS,
  handler: ({ type, sessionId, eventId }) =>
    type === 'expired' ? tell({ sessionId, eventId }) : undefined,
  replicaName,
});
process.on('disconnect', () => process.exit());
await repository.startExpiring();
await events.start();
