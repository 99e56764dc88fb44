import { quoted } from '../../lib/logger.js';
import { type SessionRepositoryOptions } from '../repository-options.js';
import { SessionCorruptError, SessionEncodingError } from '../session.errors.js';
import { type SessionCodec } from './codec.js';

/**
 * The codec without the messages of its own errors, which may quote a value. With `onCorrupt: 'new-session'`, an attribute
 * that cannot be decoded is absent.
 */
export function tolerantCodec({
  codec,
  onCorrupt,
  logger,
}: SessionRepositoryOptions): SessionCodec {
  const encode = (value: unknown, name: string) => {
    try {
      return codec.encode(value, name);
    } catch (error) {
      if (error instanceof SessionEncodingError) throw error;
      throw SessionEncodingError.create(
        name,
        'is refused by the codec',
        'Store a value that it takes.',
      );
    }
  };
  const decode = (text: string, name: string) => {
    try {
      return codec.decode(text, name);
    } catch {
      const message = `Cannot decode the session attribute ${quoted(name)}: its stored value is not of this codec. Remove it, or configure the codec that wrote it.`;
      if (onCorrupt === 'error') throw new SessionCorruptError(message);
      logger.warn(message);
      return undefined;
    }
  };
  return { encode, decode };
}
