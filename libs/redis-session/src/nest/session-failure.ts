import { HttpException } from '@nestjs/common';
import { describeSessionFailure } from '../http/failed-response.js';
import { RedisSessionError } from '../session/session.errors.js';

/** Makes an error of a session an exception that filters know, with its status: 503, 401 or 500. Others stay. */
export function toHttpException(error: unknown): unknown {
  if (!(error instanceof RedisSessionError)) return error;
  const { statusCode, detail } = describeSessionFailure(error);
  return new HttpException(detail, statusCode, { cause: error });
}
