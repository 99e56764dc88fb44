import {
  SessionInvalidatedError,
  SessionLimitError,
  SessionStoreError,
} from '../session/session.errors.js';
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import { HttpPlatform } from './http-platform.js';
import { toHttpException } from './access/security.exceptions.js';

/**
 * Hands what a handler throws because its session failed to the application's exception filters once more, as the
 * exception that they know: 503 when Redis cannot be reached, 401 when the session has ended meanwhile.
 */
@Catch(SessionInvalidatedError, SessionLimitError, SessionStoreError)
export class SessionFailureFilter implements ExceptionFilter {
  constructor(private readonly platform: HttpPlatform) {}

  catch(error: unknown, host: ArgumentsHost): unknown {
    if (host.getType() !== 'http') return error;
    this.platform.fail(host, toHttpException(error));
    return undefined;
  }
}
