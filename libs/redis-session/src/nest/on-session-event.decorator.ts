import { DiscoveryService } from '@nestjs/core';
import { type SessionEventType } from '../session/session-event.js';

/** Metadata of a method: the types of events that it handles; none = all. */
export const SESSION_EVENT_TYPES = DiscoveryService.createDecorator<readonly SessionEventType[]>();

/**
 * Has a method of a provider or controller handle what happens to sessions. It is given a `SessionEvent`; when it rejects,
 * an event of delivery `'once'` is delivered again. Needs `indexed.eventDelivery`.
 *
 * ```ts
 * @OnSessionEvent('expired', 'deleted')
 * releaseCart({ principalName, attributes }: SessionEvent) { … }
 * ```
 *
 * @param types - none = all
 */
export const OnSessionEvent = (...types: SessionEventType[]): MethodDecorator =>
  SESSION_EVENT_TYPES(types);
