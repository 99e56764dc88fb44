import { foreignProperty } from '../lib/foreign-property.js';
import { type SecurityContext } from '../security/security-context.js';
import { SECURITY_CONTEXT_ATTRIBUTE } from '../session/attributes/attribute-names.js';
import { type SessionCodec } from '../session/attributes/codec.js';
import { type MapSession } from '../session/map-session.js';
import { PRINCIPAL_NAME_ATTRIBUTE } from './spring-attributes.js';
import { fromSpringHash } from './spring-session.mapper.js';

type Texts = ReadonlyMap<string, string>;

/** Knows whose sessions are whose, as Spring resolves it: by an attribute of its own, or by the login. */
export class SpringUsers {
  private readonly stored = foreignProperty<() => string | undefined>('user in Spring');

  constructor(private readonly codec: SessionCodec) {}

  /** `session` is stored with these attributes. They are looked at when somebody asks. */
  remember(session: MapSession, texts: Texts): void {
    this.stored.set(session, () => this.userIn(texts));
  }

  /** `session` is stored as it is now. */
  rememberSaved(session: MapSession): void {
    const user = this.userOf(session);
    this.stored.set(session, () => user);
  }

  /** The user by whom `session` is in the index, as far as this process knows. */
  storedUserOf(session: MapSession): string | undefined {
    return this.stored.get(session)?.();
  }

  /** The user of `session` with its changes that are not saved yet; undefined = nobody is logged in. */
  userOf(session: MapSession): string | undefined {
    const own = session.peekAttribute(PRINCIPAL_NAME_ATTRIBUTE);
    return typeof own === 'string'
      ? own
      : nameIn(session.peekAttribute(SECURITY_CONTEXT_ATTRIBUTE));
  }

  /** The user of a hash; undefined also when it cannot be understood. @param fields - names and values in turn */
  userOfFields(fields: readonly string[]): string | undefined {
    try {
      return this.userIn(fromSpringHash(fields)?.attributes ?? new Map<string, string>());
    } catch {
      return undefined;
    }
  }

  private userIn(texts: Texts): string | undefined {
    try {
      const own = this.decode(texts, PRINCIPAL_NAME_ATTRIBUTE);
      return typeof own === 'string' ? own : nameIn(this.decode(texts, SECURITY_CONTEXT_ATTRIBUTE));
    } catch {
      return undefined;
    }
  }

  private decode(texts: Texts, name: string): unknown {
    const text = texts.get(name);
    return text === undefined ? undefined : this.codec.decode(text, name);
  }
}

function nameIn(context: unknown): string | undefined {
  return (context as SecurityContext | undefined)?.authentication?.name;
}
