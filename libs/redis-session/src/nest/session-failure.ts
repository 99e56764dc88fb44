import { HttpException } from '@nestjs/common';
import { describeSessionFailure } from '../http/request/failures.js';
import { RedisSessionError } from '../session/session.errors.js';
import { InvalidSessionException, SessionEndedException } from './access/security.exceptions.js';

/** Makes of the failure of a session that is nobody's mistake an exception that filters know: 503 or 401. Others stay. */
export function toHttpException(error: unknown): unknown {
  if (!(error instanceof RedisSessionError)) return error;
  const { statusCode, detail, reason } = describeSessionFailure(error);
  if (statusCode === 500) return error;
  if (reason) return new SessionEndedException(reason, { cause: error });
  if (statusCode === 401) return new InvalidSessionException(detail, { cause: error });
  return new HttpException(detail, statusCode, { cause: error });
}
