import { type Filter } from 'mongodb';
import { type SessionsAtRest } from '../session/at-rest/sessions-at-rest.js';
import { PRINCIPAL_INDEX } from '../session/indexed/session-indexing.js';
import { encodeField } from './field-names.js';
import { type SessionDocument } from './session-document.js';
import { NOT_ENDED } from './session-updates.js';

/** What matches the sessions that are found by values. */
export class IndexFilters {
  /** @param clock - epoch ms */
  constructor(
    private readonly clock: () => number,
    private readonly atRest: SessionsAtRest,
  ) {}

  /** What may stand for `value` in an index. */
  valuesOf(name: string, value: string): readonly string[] {
    return this.atRest.indexValuesOf(name, value.toWellFormed());
  }

  /** The living sessions with one of the values. */
  living(name: string, values: readonly string[]): Filter<SessionDocument> {
    const expireAt = { $gt: new Date(this.clock()) };
    return { [`indexes.${encodeField(name)}`]: { $in: values }, expireAt, ...NOT_ENDED };
  }

  /** The living sessions of a user. @param names - what may stand for the user @param ids - of sessions that are left out */
  ofUserExcept(names: readonly string[], ids: readonly string[]): Filter<SessionDocument> {
    return { ...this.living(PRINCIPAL_INDEX, names), sessionId: { $nin: ids } };
  }

  expiredBy(beforeMs: number): Filter<SessionDocument> {
    return { expireAt: { $lte: new Date(beforeMs) } };
  }
}
