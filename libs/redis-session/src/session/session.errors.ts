/** Base of all errors of this library; `code` tells them apart without `instanceof`. */
export abstract class RedisSessionError extends Error {
  /** `ERR_SESSION_…`, stable across versions. */
  abstract readonly code: string;
}

/** An option has a value that cannot work; thrown at start, its message is `<option> must be …, got ….` */
export class SessionOptionError extends RedisSessionError {
  override readonly name = 'SessionOptionError';
  readonly code = 'ERR_SESSION_OPTION';
}
