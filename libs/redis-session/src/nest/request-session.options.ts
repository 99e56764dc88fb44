import { type SaveMode } from '../session/save-mode.js';
import { SessionOptionError } from '../session/session.errors.js';

/** The options of the module that `req.session` has to get along with. */
interface RequestSessionOptions {
  readonly load?: 'eager' | 'lazy' | undefined;
  readonly passportSession?: boolean | undefined;
  readonly requestSession?: boolean | undefined;
  readonly saveMode?: SaveMode | undefined;
}

/**
 * `req.session` cannot wait for a session to be read, and its users change values in place.
 *
 * @throws SessionOptionError
 */
export function refuseBlindRequestSession(options: RequestSessionOptions): void {
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
