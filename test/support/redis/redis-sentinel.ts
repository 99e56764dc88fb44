export { type RedisSentinel, startRedisSentinel } from '../../../tools/servers/redis-sentinel.mjs';
