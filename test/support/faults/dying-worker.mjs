// A worker in a process of its own, for tests that kill it: it stops at the moment that it was told, says so, and stays.
// node dying-worker.mjs <url of Redis> <namespace> <moment> <epoch ms>, forked; needs the built library.
import { setInterval } from 'node:timers';
import { Redis } from 'ioredis';
import { OnceEventSource } from '../../../libs/redis-session/build/redis/events/once-event-source.js';
import { RedisIndexedSessionRepository } from '../../../libs/redis-session/build/redis/indexed/redis-indexed-session-repository.js';
import { jsonSessionCodec } from '../../../libs/redis-session/build/session/attributes/codec.js';

const [url, namespace, moment, nowMs] = process.argv.slice(2);
const logger = { warn() {}, error() {} };
const client = new Redis(url);
const repository = new RedisIndexedSessionRepository(client, {
  clock: () => Number(nowMs),
  eventDelivery: 'once',
  logger,
  namespace,
});
const { commands, expiration, indexing, keys } = repository.store;
let isOver = false;
const stay = () => {
  if (!isOver) process.send('here');
  isOver = true;
  return new Promise(() => setInterval(() => {}, 1000));
};

// Each step is the real one; the next one is never reached.
if (moment === 'after-claim') commands.end = stay;
if (moment === 'after-delete') indexing.remove = stay;
if (moment === 'in-handler') await handleEvents();
else await expiration.cleanUp();

async function handleEvents() {
  const source = new OnceEventSource({
    ...{ client, codec: jsonSessionCodec, commandTimeoutMs: 2000, keys, logger },
    ...{ deletesHandled: true, handOnAfterMs: 60_000, handler: stay, replicaName: 'dying' },
  });
  await source.poll();
}
