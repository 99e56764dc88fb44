import { foreignProperty } from '../lib/foreign-property.js';
import { type SessionsAtRest } from '../session/at-rest/sessions-at-rest.js';
import { type MapSession } from '../session/map-session.js';
import { SessionEncodingError } from '../session/session.errors.js';
import { type SessionIndexResolver, viewOf } from '../session/session-view.js';
import { PRINCIPAL_INDEX } from './postgres-session.mapper.js';

/** Values by the names of the indexes. */
export type IndexValues = ReadonlyMap<string, string>;

/** What a save changes in the indexes. */
export interface IndexChange {
  /** All values after the save. */
  readonly values: IndexValues;
  /** Those that differ; undefined = the session leaves the index. */
  readonly changed: ReadonlyMap<string, string | undefined>;
  /** The user who logs in with the save, as the table holds the name; undefined = nobody. */
  readonly login: string | undefined;
}

/** Knows under which values the sessions that this process holds are found. */
export class SessionIndexing {
  private readonly known = foreignProperty<IndexValues>('index values');

  constructor(
    readonly resolvers: Readonly<Record<string, SessionIndexResolver>>,
    private readonly atRest: SessionsAtRest,
  ) {}

  /** The tables hold `values` for `session`. */
  remember(session: MapSession, values: IndexValues): void {
    this.known.set(session, values);
  }

  /** What the tables held for `session` when it was last read or saved. */
  valuesOf(session: MapSession): IndexValues {
    return this.known.get(session) ?? new Map();
  }

  /** @throws SessionEncodingError for a value that a text of PostgreSQL cannot hold */
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
      if (value.includes('\0'))
        throw SessionEncodingError.create(
          `the value of the index "${name}"`,
          'has a NUL character',
        );
      values.set(name, this.atRest.indexValueOf(session, name, value));
    }
    return values;
  }
}
