import { type Filter } from 'mongodb';
import { type SessionsAtRest } from '../session/at-rest/sessions-at-rest.js';
import { PRINCIPAL_INDEX, type SessionIndexing } from '../session/indexed/session-indexing.js';
import { type MapSession } from '../session/map-session.js';
import { type SessionIndexOptions } from '../session/session-store.js';
import { viewOf } from '../session/session-view.js';
import { type DeadlineRunner } from './deadline-runner.js';
import { type IndexFilters } from './index-filters.js';
import { type SessionDocument } from './session-document.js';
import { type SessionEnds } from './session-ends.js';

/** What {@link SessionEnding} works with. */
export interface SessionEndingInput {
  readonly atRest: SessionsAtRest;
  readonly ends: SessionEnds;
  readonly filters: IndexFilters;
  readonly indexed: SessionIndexOptions;
  readonly indexing: SessionIndexing;
  readonly runner: DeadlineRunner;
}

/** The part of an indexed repository that ends sessions on behalf of somebody else. One command each. */
export class SessionEnding {
  constructor(private readonly input: SessionEndingInput) {}

  async endById(id: string, reason: string): Promise<void> {
    await this.end({ sessionId: { $in: this.input.atRest.idsToDelete(id) } }, reason);
  }

  /** @returns how many it has ended */
  endByPrincipalName(name: string, reason: string, exceptId = ''): Promise<number> {
    const { filters } = this.input;
    return this.endOthers(filters.valuesOf(PRINCIPAL_INDEX, name), reason, exceptId);
  }

  /** @returns how many; 0 for an anonymous session */
  async endOthersOf(session: MapSession, reason: string): Promise<number> {
    const { filters, indexed, indexing } = this.input;
    const user = indexing.valuesOf(session).get(PRINCIPAL_INDEX);
    if (user === undefined) return 0;
    const name = indexed.principalName(viewOf(session)) ?? '';
    const values = filters.valuesOf(PRINCIPAL_INDEX, name);
    return this.endOthers(values.includes(user) ? values : [user], reason, session.id);
  }

  /** Why somebody else has ended the session `id`, once. */
  takeEndReason(id: string): Promise<string | undefined> {
    const { atRest, ends, runner } = this.input;
    const ids = atRest.idsToDelete(id);
    return runner.run('read why a session ended', (next) => ends.takeReason(ids, next));
  }

  /** Ends the sessions that match. @returns how many */
  end(filter: Filter<SessionDocument>, reason: string): Promise<number> {
    const { ends, runner } = this.input;
    const end = { type: 'deleted', reason } as const;
    return runner.run('end sessions', (next) => ends.end(filter, end, next));
  }

  private endOthers(names: readonly string[], reason: string, exceptId: string): Promise<number> {
    const { atRest, filters } = this.input;
    return this.end(filters.ofUserExcept(names, atRest.idsToDelete(exceptId)), reason);
  }
}
