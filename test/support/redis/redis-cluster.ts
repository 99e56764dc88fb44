export { type RedisCluster, startRedisCluster } from '../../../tools/servers/redis-cluster.mjs';
