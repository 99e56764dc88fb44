import { randomUUID } from 'node:crypto';
import { type Collection, type Filter, type UpdateFilter } from 'mongodb';
import { REASON_LIFE_MS, type SessionEnd } from '../../session/session-event.js';
import { type NextCommand } from '../deadline-runner.js';
import { type SessionDocument } from '../sessions/session-document.js';
import { NOT_ENDED } from '../sessions/session-updates.js';

/** Ends sessions. What must be told of them stays in their documents, which nobody finds any more. */
export class SessionEnds {
  /** @param clock - epoch ms */
  constructor(
    private readonly sessions: Collection<SessionDocument>,
    private readonly clock: () => number,
    private readonly tellsEvents: boolean,
  ) {}

  /** Ends the sessions that match, each once, in one command. @returns how many */
  async end(filter: Filter<SessionDocument>, end: SessionEnd, next: NextCommand): Promise<number> {
    const living = { ...filter, ...NOT_ENDED };
    if (!this.tellsEvents && end.reason === '')
      return (await this.sessions.deleteMany(living, next())).deletedCount;
    return (await this.sessions.updateMany(living, this.ending(end), next())).modifiedCount;
  }

  /** Why somebody else has ended one of the sessions, once. */
  async takeReason(ids: readonly string[], next: NextCommand): Promise<string | undefined> {
    const ended = await this.sessions.findOneAndUpdate(
      {
        sessionId: { $in: ids },
        'end.reason': { $gt: '' },
        expireAt: { $gt: new Date(this.clock() - REASON_LIFE_MS) },
      },
      { $set: { 'end.reason': '' } },
      { ...next(), returnDocument: 'before' },
    );
    return ended?.end?.reason;
  }

  private ending({ type, reason }: SessionEnd): UpdateFilter<SessionDocument> {
    const $set = { end: { type, reason }, expireAt: new Date(this.clock()) };
    if (!this.tellsEvents) return { $set, $unset: { attributes: '', indexes: '' } };
    const event = { id: randomUUID(), type, previousSessionId: '', reason, at: new Date() };
    return { $set, $push: { untold: event } };
  }
}
