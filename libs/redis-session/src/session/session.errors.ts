import { plainText, readable } from '../lib/logger.js';

/**
 * Base of all errors of this library. Recognise one by `instanceof` or by its stable `code`.
 *
 * No message holds a session id, a cookie or an attribute's value.
 */
export abstract class RedisSessionError extends Error {
  /** Stable across versions: `ERR_SESSION_…`. */
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An option is unknown, out of its range, or contradicts another one. Thrown at start, and by a setter of a session. */
export class SessionOptionError extends RedisSessionError {
  readonly code = 'ERR_SESSION_OPTION';
}

/** The session was deleted, has expired, or got another id since it was read. Nothing was written. */
export class SessionInvalidatedError extends RedisSessionError {
  readonly code = 'ERR_SESSION_INVALIDATED';

  /**
   * Makes the error with its message.
   *
   * @param action - what could not be done, such as `save the session`
   */
  static create(action: string): SessionInvalidatedError {
    return new SessionInvalidatedError(
      `Cannot ${action}: it was deleted or has expired since it was read (another request may have logged out). ` +
        'Read it again or start a new one.',
    );
  }
}

/** The response has left, so the client cannot be told the id of a new session or a changed id. */
export class SessionResponseCommittedError extends RedisSessionError {
  readonly code = 'ERR_SESSION_RESPONSE_COMMITTED';

  /**
   * Makes the error with its message.
   *
   * @param action - what could not be done, such as `create a session`
   */
  static create(action: string): SessionResponseCommittedError {
    return new SessionResponseCommittedError(
      `Cannot ${action}: the response was already sent. Use the session before the response is sent.`,
    );
  }
}

/** The store refused, could not be reached, or did not answer in time. Whether a write took place is not known. */
export class SessionStoreError extends RedisSessionError {
  readonly code = 'ERR_SESSION_STORE';

  /**
   * Makes the error with its message.
   *
   * @param action - what could not be done, such as `load the session`
   * @param remedy - what to do
   */
  static create(
    action: string,
    cause: unknown,
    remedy = 'Check that the store is reachable and accepts writes.',
  ): SessionStoreError {
    const reason = cause instanceof Error ? plainText(cause.message) : 'unknown reason';
    return new SessionStoreError(
      `Cannot ${action}: the session store failed (${reason}). ${remedy}`,
      { cause },
    );
  }
}

const refusals = new WeakSet<Error>();

/** Notes of a failed save that nothing was written. @returns `error` */
export function refused<E extends Error>(error: E): E {
  refusals.add(error);
  return error;
}

/** The same failure, of a step that comes after the save: what was saved is stored, even if Redis has refused that step. */
export function afterSave(error: unknown): unknown {
  if (!(error instanceof SessionStoreError)) return error;
  return new SessionStoreError(error.message, { cause: error.cause });
}

/** Whether a save has failed of which nobody knows whether it took place. */
export function isDoubtful(error: unknown): boolean {
  return error instanceof SessionStoreError && !refusals.has(error);
}

/** The error for updates that an earlier attempt may have saved: computed again, they would count twice. */
export function updatesInDoubt(): SessionStoreError {
  return new SessionStoreError(
    'Cannot save the session: the answer to an earlier attempt was lost, and it is not known whether it saved the updates. Read the session again.',
  );
}

/** What the store holds for a session cannot be understood: a field is missing or a value cannot be decoded. */
export class SessionCorruptError extends RedisSessionError {
  readonly code = 'ERR_SESSION_CORRUPT';
}

/** A value cannot be stored, because the codec would lose or refuse a part of it. Nothing was written. */
export class SessionEncodingError extends RedisSessionError {
  readonly code = 'ERR_SESSION_ENCODING';

  /**
   * Makes the error with its message.
   *
   * @param path - where in the session, such as `cart[0].price`; names only, never a value
   * @param remedy - what to do
   */
  static create(
    path: string,
    problem: string,
    remedy = 'Store plain data, or set the option codec.',
  ): SessionEncodingError {
    return new SessionEncodingError(
      `Cannot save the session: ${readable(path)} ${problem}. ${remedy}`,
    );
  }
}

/** The user has as many sessions as allowed, and a further login is refused. Nothing was written. */
export class SessionLimitError extends RedisSessionError {
  readonly code = 'ERR_SESSION_LIMIT';

  /** Makes the error with its message. */
  static create(): SessionLimitError {
    return new SessionLimitError(
      'Cannot log in: the user has as many sessions as allowed. Log out elsewhere, or wait until one expires.',
    );
  }
}
