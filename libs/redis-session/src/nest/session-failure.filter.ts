import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { HttpPlatform } from './platform/http-platform.js';
import { toHttpException } from './session-failure.js';

/** Matches failures of a session that are nobody's mistake, and no other exceptions: those stay with the app. */
class SessionFailureMatcher {
  static [Symbol.hasInstance](error: unknown): boolean {
    return toHttpException(error) !== error;
  }
}

/**
 * Hands what a handler throws because its session failed to the application's exception filters once more, as the
 * exception that they know: 503 when Redis cannot be reached, 401 when the session has ended meanwhile.
 */
@Catch(SessionFailureMatcher)
export class SessionFailureFilter implements ExceptionFilter {
  constructor(private readonly platform: HttpPlatform) {}

  catch(error: unknown, host: ArgumentsHost): unknown {
    if (host.getType() !== 'http') return error;
    this.platform.fail(host, toHttpException(error));
    return undefined;
  }
}
