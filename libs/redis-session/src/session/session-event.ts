/** What happened to a session. Mirrors the event classes of Spring Session, which know no changed id. */
export const SessionEventType = {
  /** Stored for the first time. */
  Created: 'created',
  /** Ended on purpose: logout, `invalidate()`, signed out by somebody else. */
  Deleted: 'deleted',
  /** Ended because its time was over. */
  Expired: 'expired',
  /** Has another id; `previousSessionId` is dead. */
  IdChanged: 'id-changed',
} as const;

/** One of the values of {@link SessionEventType}. */
export type SessionEventType = (typeof SessionEventType)[keyof typeof SessionEventType];

/** Why a session was ended by somebody else than its user; the reason of the own logout is ''. */
export type SessionEndReason = string;

/** Something that happened to a session, with what is left of it. */
export interface SessionEvent {
  /** The same each time that the event is delivered: handlers recognise a repetition by it. */
  readonly eventId: string;
  readonly type: SessionEventType;
  readonly sessionId: string;
  /** Only of 'id-changed'. */
  readonly previousSessionId: string | undefined;
  /** Only of 'deleted', when it was not the user's own logout: such as `expired-by-newer-login`. */
  readonly reason: SessionEndReason | undefined;
  /** undefined = anonymous, or nothing is left of the session */
  readonly principalName: string | undefined;
  /** Values of all indexes by the index's name, the principal among them. */
  readonly indexes: ReadonlyMap<string, string>;
  /** As last saved; only those that the option `eventAttributes` names. */
  readonly attributes: ReadonlyMap<string, unknown>;
  /** When Redis recorded it. */
  readonly occurredAt: Date;
}

/** How events reach the handlers of several replicas. */
export const SessionEventDelivery = {
  /** Events are not recorded. */
  None: 'none',
  /** One replica handles each event; another one takes over when it dies before it has finished. */
  Once: 'once',
  /** Every replica handles each event. */
  Broadcast: 'broadcast',
} as const;

/** One of the values of {@link SessionEventDelivery}. */
export type SessionEventDelivery = (typeof SessionEventDelivery)[keyof typeof SessionEventDelivery];

/**
 * Handles one event. When it rejects, `'once'` delivers the event again after a minute, `'broadcast'` does not.
 */
export type SessionEventHandler = (event: SessionEvent) => void | Promise<void>;

/** Brings the events of all replicas to one handler. */
export interface SessionEventSource {
  start(): Promise<void>;
  /** Resolves when no event is being handled any more. */
  stop(): Promise<void>;
}

/** What a {@link SessionEventSource} delivers, and to whom. */
export interface SessionEventSubscription {
  readonly delivery: 'once' | 'broadcast';
  /** Only of `'once'`: whether handled events are deleted, because no other source reads them. */
  readonly deletesHandled?: boolean;
  readonly handler: SessionEventHandler;
  /** Only of `'broadcast'`: whether a replica that restarts goes on where it was. @defaultValue true */
  readonly isResumed?: boolean;
  /** Name of this replica, unlike that of any other one that runs. */
  readonly replicaName: string;
}

/** A repository that records what happens to its sessions, and finds the expired ones. */
export interface SessionEventRecorder {
  createEventSource(subscription: SessionEventSubscription): SessionEventSource;
  /** Starts the worker that finds expired sessions. */
  startExpiring(): Promise<void>;
  stopExpiring(): Promise<void>;
}

/** Whether `repository` records events. */
export function recordsEvents<R extends object>(
  repository: R,
): repository is R & SessionEventRecorder {
  return 'createEventSource' in repository;
}
