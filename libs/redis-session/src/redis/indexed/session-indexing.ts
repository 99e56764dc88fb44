import { foreignProperty } from '../../lib/foreign-property.js';
import { type MapSession, viewOf } from '../../session/map-session.js';
import { type SessionChange } from '../../session/session-change.js';
import { type SessionIndexResolver } from '../../session/session-store.js';
import {
  type IndexEntry,
  INDEX_EXPIRY_FIELD,
  INDEX_FIELD_PREFIX,
  INDEX_VALUE_FIELD_PREFIX,
  newIndexEntry,
  textOfEntry,
  toEntry,
  type SessionIndex,
} from './session-index.js';
import { PRINCIPAL_INDEX } from '../../session/indexed/session-indexing.js';
import { type HashChange } from '../sessions/redis-session.mapper.js';
import { type SessionsAtRest } from '../../session/at-rest/sessions-at-rest.js';

type Entries = ReadonlyMap<string, IndexEntry>;

/** What a save changes in the indexes. */
export interface IndexChange {
  /** All entries after the save. */
  readonly entries: Entries;
  /** New entries, which need a field in the hash. */
  readonly added: readonly IndexEntry[];
  /** The one among them by which the user is another one: a login. */
  readonly admitted: IndexEntry | undefined;
  /** Entries that stay, with another expiry. */
  readonly renewed: readonly IndexEntry[];
  /** Names of the indexes whose field changes, and what the field must hold before; '*' = any. */
  readonly expected: ReadonlyMap<string, string>;
  /** What the index functions say, by name. */
  readonly values: ReadonlyMap<string, string>;
}

interface Known {
  /** What the hash held when it was last seen. */
  readonly entries: Entries;
  /** What the index functions said of the session when it was read or saved: another value is a change. */
  readonly values: ReadonlyMap<string, string>;
}

/** Knows which sessions that this replica holds are in which indexes, and brings the indexes up to date. */
export class SessionIndexing {
  private readonly known = foreignProperty<Known>('index entries');

  constructor(
    private readonly index: SessionIndex,
    private readonly resolvers: Readonly<Record<string, SessionIndexResolver>>,
    private readonly atRest: SessionsAtRest,
  ) {}

  /** The hash of `session` was read and holds `entries`. */
  remember(session: MapSession, entries: Entries): void {
    const values = new Map([...entries].map(([name, { value }]) => [name, value]));
    this.known.set(session, { entries, values });
  }

  /** `change` is stored. */
  rememberSaved(session: MapSession, { entries, values }: IndexChange): void {
    this.known.set(session, { entries, values });
  }

  /** The fields that were to change have turned out to hold `texts`: another replica has changed them. */
  rebase(session: MapSession, { expected }: IndexChange, texts: readonly string[]): void {
    const { entries, values } = this.knownOf(session);
    const current = new Map(entries);
    [...expected.keys()].forEach((name, i) => {
      const entry = toEntry(name, texts[i] ?? '');
      if (entry) current.set(name, entry);
      else current.delete(name);
    });
    this.known.set(session, { entries: current, values });
  }

  /** What the hash of `session` held when it was last seen. */
  entriesOf(session: MapSession): Entries {
    return this.knownOf(session).entries;
  }

  /** A value that the session has not changed itself is that of the hash, whoever wrote it there. */
  changeOf(change: SessionChange, session: MapSession): IndexChange {
    const before = this.knownOf(session);
    const isMoved = change.id !== change.storedId;
    const readable = this.valuesOf(session);
    const values = new Map(
      [...readable].map(([name, value]) => [name, this.atRest.indexValueOf(session, name, value)]),
    );
    const entries = new Map<string, IndexEntry>();
    const added: IndexEntry[] = [];
    const expected = new Map<string, string>();
    for (const name of Object.keys(this.resolvers)) {
      const stored = before.entries.get(name);
      const isOwnChange = values.get(name) !== before.values.get(name);
      const value = isOwnChange ? values.get(name) : stored?.value;
      if (stored?.value === value && !isMoved) {
        if (stored) entries.set(name, stored);
        continue;
      }
      expected.set(name, isOwnChange ? '*' : stored ? textOfEntry(stored) : '');
      if (value === undefined) continue;
      const sealedValue = isOwnChange
        ? this.atRest.sealIndexValue(session, name, readable.get(name) ?? '')
        : undefined;
      const entry = newIndexEntry(name, value, sealedValue);
      entries.set(name, entry);
      added.push(entry);
    }
    const isNewInterval = change.maxInactiveInterval !== undefined && !isMoved;
    const renewed = isNewInterval ? [...entries.values()].filter((e) => !added.includes(e)) : [];
    const admitted = added.find(
      ({ name, value }) => name === PRINCIPAL_INDEX && !this.isSame(session, before, name, value),
    );
    return { entries, added, admitted, renewed, expected, values };
  }

  /** Before the save, so that no session that is stored is ever missing; but for the entry that was admitted. */
  async add(
    sessionId: string,
    { added, renewed, admitted }: IndexChange,
    expiryMs: number,
  ): Promise<void> {
    const entries = [...added, ...renewed].filter((entry) => entry !== admitted);
    await Promise.all(entries.map((entry) => this.index.add(sessionId, entry, expiryMs)));
  }

  /** `hash` with the fields that say which entries are the session's. */
  withFields(hash: HashChange, change: IndexChange, expiryMs: number): HashChange {
    const { added, renewed, entries, expected } = change;
    const set = added.flatMap((entry) => fieldsOf(entry));
    const prefixes = this.atRest.isSealing
      ? [INDEX_FIELD_PREFIX, INDEX_VALUE_FIELD_PREFIX]
      : [INDEX_FIELD_PREFIX];
    const remove = [...expected.keys()]
      .filter((name) => !entries.has(name))
      .flatMap((name) => prefixes.map((prefix) => prefix + name));
    if (added.length + renewed.length > 0) {
      if (expiryMs === Infinity) remove.push(INDEX_EXPIRY_FIELD);
      else set.push(INDEX_EXPIRY_FIELD, String(expiryMs));
    }
    return { ...hash, set: [...hash.set, ...set], remove: [...hash.remove, ...remove] };
  }

  /** After the save: what the hash held before it, which another replica may have written since it was read. */
  async removeEarlier(
    sessionId: string,
    { expected, entries }: IndexChange,
    texts: readonly string[],
  ): Promise<void> {
    const replaced = [...expected.keys()].flatMap((name, i) => {
      const entry = toEntry(name, texts[i] ?? '');
      return entry && entry.mark !== entries.get(name)?.mark ? [entry] : [];
    });
    await this.remove(sessionId, replaced);
  }

  async remove(sessionId: string, entries: readonly IndexEntry[]): Promise<void> {
    await Promise.all(entries.map((entry) => this.index.remove(sessionId, entry)));
  }

  /** Moves the expiry of all `entries`. */
  async renew(sessionId: string, entries: Iterable<IndexEntry>, expiryMs: number): Promise<void> {
    await Promise.all([...entries].map((entry) => this.index.add(sessionId, entry, expiryMs)));
  }

  /** Whether the user is the one of `before`, who may have been stored in plain text. */
  private isSame(session: MapSession, before: Known, name: string, value: string): boolean {
    const earlier = before.values.get(name);
    if (earlier === undefined || earlier === value) return earlier === value;
    return this.atRest.indexValueOf(session, name, earlier) === value;
  }

  private knownOf(session: MapSession): Known {
    return this.known.get(session) ?? { entries: new Map(), values: new Map() };
  }

  private valuesOf(session: MapSession): Map<string, string> {
    const view = viewOf(session);
    const values = new Map<string, string>();
    for (const [name, resolve] of Object.entries(this.resolvers)) {
      const value = resolve(view);
      if (value !== undefined) values.set(name, value);
    }
    return values;
  }
}

function fieldsOf(entry: IndexEntry): string[] {
  const fields = [INDEX_FIELD_PREFIX + entry.name, textOfEntry(entry)];
  const { sealedValue } = entry;
  return sealedValue === undefined
    ? fields
    : [...fields, INDEX_VALUE_FIELD_PREFIX + entry.name, sealedValue];
}
