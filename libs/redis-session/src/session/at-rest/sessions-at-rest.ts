import { createHmac } from 'node:crypto';
import { foreignProperty } from '../../lib/foreign-property.js';
import { quoted } from '../../lib/logger.js';
import { type AttributeLookup } from '../attributes/attributes.js';
import { type MapSession } from '../map-session.js';
import { type SessionRepositoryOptions, resolveEncryptionOptions } from '../repository-options.js';
import { type SessionChange, type StoredSession } from '../session-change.js';
import { isStorageId, storageIdOf } from '../session-id.js';
import { SessionCorruptError } from '../session.errors.js';
import { KeyRing } from './key-ring.js';
import { SealedAttributes, type SealingSetup } from './sealed-attributes.js';

interface SessionsAtRestOptions extends SessionRepositoryOptions {
  /** Of a store that has several. */
  readonly namespace?: string;
}

/** How one session is stored. */
interface StoredForm {
  isHashed: boolean;
  readonly attributes: SealedAttributes | undefined;
}

/** A session as it was read, and whether it must be written to be stored as the options say. */
export interface OpenedSession {
  readonly attributes: AttributeLookup;
  readonly form: StoredForm | undefined;
  readonly isOutdated: boolean;
}

/**
 * The one place that knows how sessions look in a store: under hashed ids (`hashIds`), with encrypted attributes
 * (`encryption`). Sessions and requests know neither, stores know nothing else.
 */
export class SessionsAtRest {
  private readonly hashIds: SessionRepositoryOptions['hashIds'];
  private readonly sealing: SealingSetup | undefined;
  private readonly indexKey: Buffer | undefined;
  private readonly forms = foreignProperty<StoredForm>('stored form');

  /** @throws SessionOptionError when a key is none @internal */
  constructor(options: SessionsAtRestOptions) {
    const { encryption, hashIds, logger, namespace = '', onCorrupt } = options;
    this.hashIds = hashIds;
    if (!encryption) return;
    const { indexKey, keys, rollout } = resolveEncryptionOptions(encryption);
    this.indexKey = indexKey;
    this.sealing = {
      ring: new KeyRing(keys),
      rollout,
      placeOf: (storedId, creationTime) => ['1', namespace, storedId, creationTime].join('\0'),
      onCorrupt: (name) => {
        const message = `Cannot decrypt the session attribute ${quoted(name)}: it was changed, or copied from another place. Remove it.`;
        if (onCorrupt === 'error') throw new SessionCorruptError(message);
        logger.warn(message);
      },
    };
  }

  /** Whether attributes are encrypted. */
  get isSealing(): boolean {
    return this.sealing !== undefined;
  }

  /**
   * Under which ids a session may be stored, in the order in which they find one that is renamed meanwhile. None, where
   * `id` has a NUL character, which not every store can look for.
   */
  idsToRead(id: string): readonly string[] {
    if (id.includes('\0')) return [];
    if (this.hashIds === false) return [id];
    const hashed = storageIdOf(id);
    if (this.hashIds === true || id === hashed) return [hashed];
    return this.hashIds === 'read' ? [id, hashed] : [hashed, id, hashed];
  }

  /** Under which ids a session may be stored, in the order that leaves none behind that is renamed meanwhile. */
  idsToDelete(id: string): readonly string[] {
    if (typeof this.hashIds === 'boolean' || id.includes('\0')) return this.idsToRead(id);
    return [...new Set([id, storageIdOf(id)])];
  }

  /** @throws SessionCorruptError when the session cannot be decrypted @internal */
  open(storedId: string, stored: StoredSession, isNew: boolean): OpenedSession {
    if (typeof this.hashIds === 'boolean' && !this.sealing)
      return { attributes: stored.attributes, form: undefined, isOutdated: false };
    const isHashed = isStorageId(storedId);
    const attributes =
      this.sealing &&
      (isNew
        ? SealedAttributes.ofNew(this.sealing)
        : SealedAttributes.ofStored(this.sealing, stored.attributes, { ...stored, storedId }));
    const isRenamed = this.hashIds === 'rename' && !isHashed;
    return {
      attributes: attributes ?? stored.attributes,
      form: { isHashed: isNew ? this.hashesNew : isHashed, attributes },
      isOutdated: !isNew && (isRenamed || (attributes?.isOutdated ?? false)),
    };
  }

  /** Opens texts that the store holds outside of a session, such as an event's. @throws SessionCorruptError */
  openTexts(
    storedId: string,
    creationTime: number,
    texts: ReadonlyMap<string, string>,
  ): SealedAttributes | undefined {
    return (
      this.sealing && SealedAttributes.ofStored(this.sealing, texts, { storedId, creationTime })
    );
  }

  /** From now on `session` is stored in `form`. @internal */
  attach(session: MapSession, { form }: OpenedSession): void {
    if (form) this.forms.set(session, form);
  }

  /** `change` as the store is to write it. @internal */
  toStored(session: MapSession, change: SessionChange): SessionChange {
    const form = this.forms.get(session);
    if (!form && this.hashIds === false) return change;
    const isHashed = form?.isHashed ?? this.hashIds === true;
    const { storedId, id } = change;
    const named = {
      ...change,
      storedId: isHashed ? storageIdOf(storedId) : storedId,
      id: isHashed || this.hashesNew ? storageIdOf(id) : id,
    };
    return form?.attributes?.seal(named) ?? named;
  }

  /** `stored` has been written. @internal */
  markSaved(session: MapSession, stored: SessionChange): void {
    const form = this.forms.get(session);
    if (!form) return;
    form.isHashed = isStorageId(stored.id);
    form.attributes?.markSaved();
  }

  /** What the texts say that the store holds instead of those that `stored` was based on. @internal */
  toCurrent(
    session: MapSession,
    stored: SessionChange,
    current: ReadonlyMap<string, string | undefined>,
  ): ReadonlyMap<string, string | undefined> {
    return this.forms.get(session)?.attributes?.openCurrent(stored, current) ?? current;
  }

  /** The session now rests on what {@link toCurrent} has returned. @internal */
  markRebased(session: MapSession): void {
    this.forms.get(session)?.attributes?.markKnown();
  }

  /** The session is not where it was. @returns whether it may have got its hashed id meanwhile: then it is there from now on @internal */
  followRename(session: MapSession): boolean {
    const form = this.forms.get(session);
    if (!form || form.isHashed || typeof this.hashIds === 'boolean') return false;
    form.isHashed = true;
    return true;
  }

  /** What stands for `value` in the index `name`, as the session is stored. */
  indexValueOf(session: MapSession, name: string, value: string): string {
    return this.forms.get(session)?.attributes?.isSealed ? this.blind(name, value) : value;
  }

  /** What may stand for `value` in the index `name`. */
  indexValuesOf(name: string, value: string): readonly string[] {
    if (!this.indexKey) return [value];
    const blind = this.blind(name, value);
    return this.sealing?.rollout === undefined ? [blind] : [blind, value];
  }

  /** `value` for the eyes of the application alone. @returns undefined when the session is stored in plain texts @internal */
  sealIndexValue(session: MapSession, name: string, value: string): string | undefined {
    return this.forms.get(session)?.attributes?.sealBeside(value, indexValueName(name));
  }

  /** What {@link sealIndexValue} has sealed. @param texts - of the session, opened @internal */
  openIndexValue(texts: SealedAttributes, name: string, sealed: string): string | undefined {
    return texts.openBeside(sealed, indexValueName(name));
  }

  private get hashesNew(): boolean {
    return this.hashIds === true || this.hashIds === 'rename';
  }

  /** HMAC-SHA-256, 43 characters. */
  private blind(name: string, value: string): string {
    if (!this.indexKey) return value;
    return createHmac('sha256', this.indexKey).update(`${name}\0${value}`).digest('base64url');
  }
}

/** What binds the value of an index to its place: no attribute has such a name. */
function indexValueName(name: string): string {
  return `\0index:${name}`;
}
