import { SessionOptionError } from '../session/session.errors.js';
import { type RedisSessionModuleOptions } from './redis-session.options.js';

/**
 * Refuses options that are right one by one, but not together.
 *
 * @param given - what the application says
 * @param merged - the same with the defaults
 * @throws SessionOptionError
 */
export function refuseContradictions(
  given: RedisSessionModuleOptions,
  merged: RedisSessionModuleOptions,
): void {
  const { maxInactiveIntervalSeconds = -1, touchIntervalSeconds = 0 } = merged;
  if (merged.store === 'redis' && merged.redis === undefined) {
    throw new SessionOptionError(
      'redis must be given: a url such as "redis://localhost:6379", ioredis options, cluster nodes or a client. Or set store to "memory".',
    );
  }
  if (merged.store === 'memory' && given.redis !== undefined) {
    throw new SessionOptionError(
      'redis must be left out when store is "memory", got both. Leave one out.',
    );
  }
  refuseWithoutIndex(given, merged);
  if (given.cookie !== undefined && given.sessionIdResolver !== undefined) {
    throw new SessionOptionError(
      'cookie must be left out when sessionIdResolver is given, got both. Leave one out.',
    );
  }
  refuseBlindRequestSession(merged);
  if (maxInactiveIntervalSeconds > 0 && touchIntervalSeconds >= maxInactiveIntervalSeconds) {
    throw new SessionOptionError(
      `touchIntervalSeconds must be below maxInactiveIntervalSeconds (${maxInactiveIntervalSeconds}), got ${touchIntervalSeconds}.`,
    );
  }
}

/** What only sessions with an index can do. */
function refuseWithoutIndex(
  given: RedisSessionModuleOptions,
  merged: RedisSessionModuleOptions,
): void {
  const { repository, security, store } = merged;
  const isIndexed = repository === 'indexed';
  if (isIndexed && store === 'memory') {
    throw new SessionOptionError(
      'repository must be "default" when store is "memory", got "indexed". Leave it out.',
    );
  }
  if (!isIndexed && given.indexed !== undefined) {
    throw new SessionOptionError(
      'indexed must be left out unless repository is "indexed", got both. Leave one out.',
    );
  }
  if (!isIndexed && security && security.logout?.endsEverySession === true) {
    throw new SessionOptionError(
      'security.logout.endsEverySession must be false unless repository is "indexed", got true.',
    );
  }
  if (!isIndexed && given.webSockets?.closeWithSession === true) {
    throw new SessionOptionError(
      'webSockets.closeWithSession must be false unless repository is "indexed", got true.',
    );
  }
}

/** `req.session` cannot wait for a session to be read, and its users change values in place. */
function refuseBlindRequestSession(options: RedisSessionModuleOptions): void {
  if (options.requestSession !== true && options.passportSession !== true) return;
  const name = options.passportSession === true ? 'passportSession' : 'requestSession';
  if (options.load === 'lazy') {
    throw new SessionOptionError(`load must be "eager" when ${name} is true, got "lazy".`);
  }
  if (options.saveMode === 'on-set-attribute') {
    throw new SessionOptionError(
      `saveMode must be "on-change" when ${name} is true, got "on-set-attribute": req.session.cart.push(item) would not be saved.`,
    );
  }
}
