import { foreignProperty } from '../../lib/foreign-property.js';
import { type SessionsAtRest } from '../at-rest/sessions-at-rest.js';
import { type MapSession, viewOf } from '../map-session.js';
import { type SessionIndexOptions, type SessionIndexResolver } from '../session-store.js';
import { type SessionView } from '../session.js';

/** Name of the index of the user. */
export const PRINCIPAL_INDEX = 'principal';

/** Values by the names of the indexes. */
export type IndexValues = ReadonlyMap<string, string>;

/** What a save changes in the indexes. */
export interface IndexChange {
  /** All values after the save. */
  readonly values: IndexValues;
  /** Those that differ; undefined = the session leaves the index. */
  readonly changed: ReadonlyMap<string, string | undefined>;
  /** The user who logs in with the save, as the store holds the name; undefined = nobody. */
  readonly login: string | undefined;
}

/** A login of a user whose sessions are limited. */
export interface LimitedLogin {
  /** What may stand for the user in the index: first what this login writes. */
  readonly names: readonly string[];
  /** How many sessions the user may have. */
  readonly limit: number;
}

/** Knows under which values the sessions that this process holds are found. */
export class SessionIndexing {
  private readonly known = foreignProperty<IndexValues | undefined>('index values');

  private readonly resolvers: Readonly<Record<string, SessionIndexResolver>>;

  /** @param refuse - throws SessionEncodingError for a value that the store cannot hold */
  constructor(
    private readonly options: SessionIndexOptions,
    private readonly atRest: SessionsAtRest,
    private readonly refuse?: (name: string, value: string) => void,
  ) {
    this.resolvers = resolversOf(options);
  }

  /** The store holds `values` for `session`; undefined = it is not stored. */
  remember(session: MapSession, values: IndexValues | undefined): void {
    this.known.set(session, values);
  }

  /** What the store held for `session` when it was last read or saved. */
  valuesOf(session: MapSession): IndexValues {
    return this.known.get(session) ?? new Map();
  }

  /** @throws SessionEncodingError for a value that the store cannot hold */
  changeOf(session: MapSession): IndexChange {
    const before = this.valuesOf(session);
    const values = this.currentValuesOf(session);
    const names = Object.keys(this.resolvers);
    const changed = new Map(
      names.flatMap((name) =>
        before.get(name) === values.get(name) ? [] : [[name, values.get(name)] as const],
      ),
    );
    return { values, changed, login: this.loginOf(session, before, changed) };
  }

  /** What may stand for `value` in the index `name`. */
  storedValuesOf(name: string, value: string): readonly string[] {
    return this.atRest.indexValuesOf(name, value.toWellFormed());
  }

  /** What may stand for the user of `session`, as it was when it was last read or saved. Nothing when it is of no user. */
  userValuesOf(session: MapSession): readonly string[] {
    const user = this.valuesOf(session).get(PRINCIPAL_INDEX);
    if (user === undefined) return [];
    const values = this.storedNamesOf(session);
    return values.includes(user) ? values : [user];
  }

  /** @returns undefined when the save is no login, or the user may have any number of sessions */
  limitOf(session: MapSession, { login }: IndexChange): LimitedLogin | undefined {
    if (login === undefined) return undefined;
    const limit = maximumSessionsOf(this.options, viewOf(session));
    if (limit === undefined) return undefined;
    return { names: [...new Set([login, ...this.storedNamesOf(session)])], limit };
  }

  private storedNamesOf(session: MapSession): readonly string[] {
    const name = this.options.principalName(viewOf(session)) ?? '';
    return this.storedValuesOf(PRINCIPAL_INDEX, name);
  }

  /** A user whose name was stored in plain text, and is hidden from now on, does not log in by that. */
  private loginOf(
    session: MapSession,
    before: IndexValues,
    changed: IndexChange['changed'],
  ): string | undefined {
    const user = changed.get(PRINCIPAL_INDEX);
    const earlier = before.get(PRINCIPAL_INDEX);
    if (user === undefined || earlier === undefined) return user;
    return this.atRest.indexValueOf(session, PRINCIPAL_INDEX, earlier) === user ? undefined : user;
  }

  private currentValuesOf(session: MapSession): IndexValues {
    const view = viewOf(session);
    const values = new Map<string, string>();
    for (const [name, resolve] of Object.entries(this.resolvers)) {
      const value = resolve(view)?.toWellFormed();
      if (value === undefined) continue;
      this.refuse?.(name, value);
      values.set(name, this.atRest.indexValueOf(session, name, value));
    }
    return values;
  }
}

/** The resolvers of all indexes, that of the user among them. */
export function resolversOf({
  indexes,
  principalName,
}: SessionIndexOptions): Readonly<Record<string, SessionIndexResolver>> {
  return { ...indexes, [PRINCIPAL_INDEX]: principalName };
}

/** @returns how many sessions the user of `session` may have; undefined = any number */
function maximumSessionsOf(
  { maximumSessions }: SessionIndexOptions,
  session: SessionView,
): number | undefined {
  const limit = typeof maximumSessions === 'number' ? maximumSessions : maximumSessions(session);
  return limit < 0 ? undefined : limit;
}
