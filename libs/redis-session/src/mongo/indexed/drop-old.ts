import { type Filter } from 'mongodb';
import { REASON_LIFE_MS } from '../../session/session-event.js';
import { type NextCommand } from '../deadline-runner.js';
import { type SessionCollections } from '../session-collections.js';
import { type SessionDocument } from '../sessions/session-document.js';

/** Ms for which events are kept, and the names of replicas. */
const DAY_MS = 86_400_000;
/** Ms for which an event that was handled is kept without its contents. */
const HANDLED_MS = 3_600_000;

/** What is kept for how long. */
export interface RetentionLimits {
  /** Of a session that has ended. */
  readonly retentionMs: number;
  readonly maxEvents: number;
}

/**
 * Drops what no worker has wanted for long: sessions that have ended, events, replicas and locks.
 *
 * @param nowMs - epoch, on the clock of the application
 */
export async function dropOld(
  { sessions, events, replicas, locks }: SessionCollections,
  { retentionMs, maxEvents }: RetentionLimits,
  nowMs: number,
  next: NextCommand,
): Promise<void> {
  const endedBy = (beforeMs: number): Filter<SessionDocument> => ({
    expireAt: { $lte: new Date(beforeMs) },
  });
  await sessions.deleteMany(endedBy(nowMs - Math.max(retentionMs, REASON_LIFE_MS)), next());
  const untold = { ...endedBy(nowMs - retentionMs), 'end.reason': { $not: { $gt: '' } } };
  await sessions.deleteMany(untold, next());
  const agoBy = (ms: number) => ({ $lte: new Date(Date.now() - ms) });
  await events.deleteMany({ at: agoBy(DAY_MS) }, next());
  await events.deleteMany({ isHandled: true, at: agoBy(HANDLED_MS), seenBy: { $size: 0 } }, next());
  await replicas.deleteMany({ at: agoBy(DAY_MS) }, next());
  await locks.deleteMany({ until: agoBy(0) }, next());
  const newest = { ...next(), sort: { at: -1, place: -1 }, skip: maxEvents } as const;
  const surplus = await events.findOne({ isHandled: false }, newest);
  if (surplus) await events.deleteMany({ at: { $lte: surplus.at } }, next());
}
