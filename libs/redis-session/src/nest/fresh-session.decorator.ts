import { SetMetadata } from '@nestjs/common';

/** Metadata of a handler or a class: true = `@FreshSession()`. */
export const FRESH_SESSION = 'redis-session:fresh-session';

/**
 * With the option `nearCache`: the session is asked of Redis once more, by a command of its own, before access is decided,
 * so that a logout on another replica counts at once. Without, every session is fresh. On a class or a handler.
 */
export const FreshSession = (): ClassDecorator & MethodDecorator =>
  SetMetadata(FRESH_SESSION, true);
