import { type SessionSharing, principalNameOf } from '../session/session-store.js';
import {
  EXPIRED_ATTRIBUTE,
  ownNameOf,
  PRINCIPAL_NAME_ATTRIBUTE,
  springNameOf,
} from './spring-attributes.js';
import { toSpringChange } from './spring-session.mapper.js';

/** How Spring Session JDBC sees sessions. The texts of their attributes are those of the codec. */
export const springJdbc: SessionSharing = {
  replacedMark: EXPIRED_ATTRIBUTE,

  principalName(session) {
    const own = session.getAttribute<unknown>(PRINCIPAL_NAME_ATTRIBUTE);
    return typeof own === 'string' ? own : principalNameOf(session);
  },

  fromStored(stored) {
    if (stored.attributes.get(EXPIRED_ATTRIBUTE) === 'true') return undefined;
    const named = [...stored.attributes].map(([name, text]) => [ownNameOf(name), text] as const);
    return { ...stored, attributes: new Map(named) };
  },

  toStored: toSpringChange,
  ownNameOf,
  storedNameOf: springNameOf,
};
