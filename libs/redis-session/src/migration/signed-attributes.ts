import { signConnectId, verifyConnectId } from '../http/session-id/connect-signature.js';
import { isOwnAttribute } from '../session/attributes/attribute-names.js';
import { type SessionBlob } from './session-blob.js';

const SEALED = 'sealed:';

/**
 * Signs the attributes of the library, the login among them, and binds them to the session `id`. The other library may let
 * clients name attributes; what it writes under these names must not count.
 *
 * @param secrets - the first signs
 */
export function sealOwnAttributes(
  blob: SessionBlob,
  id: string,
  [secret = '']: readonly string[],
): SessionBlob {
  return withOwnAttributes(blob, (name, value) =>
    signConnectId(JSON.stringify([id, name, value]), secret, SEALED),
  );
}

/** Reverses {@link sealOwnAttributes}. What none of `secrets` has signed for this session is left out. */
export function openOwnAttributes(
  blob: SessionBlob,
  id: string,
  secrets: readonly string[],
): SessionBlob {
  return withOwnAttributes(blob, (name, sealed) => {
    const text = typeof sealed === 'string' ? verifyConnectId(sealed, secrets, SEALED) : undefined;
    const [sealedId, sealedName, value] = JSON.parse(text ?? '[]') as unknown[];
    return sealedId === id && sealedName === name ? value : undefined;
  });
}

function withOwnAttributes(
  { cookie, attributes }: SessionBlob,
  replace: (name: string, value: unknown) => unknown,
): SessionBlob {
  const replaced = [...attributes].map(([name, value]): [string, unknown] => [
    name,
    isOwnAttribute(name) ? replace(name, value) : value,
  ]);
  return { cookie, attributes: new Map(replaced.filter(([, value]) => value !== undefined)) };
}
