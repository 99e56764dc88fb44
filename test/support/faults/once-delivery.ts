import { describe, expect, it } from '@jest/globals';
import { type SessionEvent } from '../../../libs/redis-session/src/session/session-event.js';

/** A store whose events are delivered once, and what a test does to them. */
export interface OnceDeliveryPlace {
  /** Opens a session of the user, which is an event. */
  readonly open: (name: string) => Promise<void>;
  /** What hands events over: one replica. */
  readonly sourceOf: (
    handler: (event: SessionEvent) => void,
    takeOverSeconds?: number,
  ) => { poll(): Promise<unknown> };
  /** Lets the time run out for which a replica has taken events. */
  readonly endTakes: () => Promise<void>;
  readonly countUnhandled: () => Promise<number | undefined>;
  readonly logged: () => readonly string[];
}

/** Describes what becomes of events whose handlers fail. */
export function describeOnceDelivery(place: OnceDeliveryPlace): void {
  const { countUnhandled, endTakes, logged, open, sourceOf } = place;
  const failing = () => {
    throw new Error('secret');
  };

  describe("delivery 'once'", () => {
    it('leaves a failed event to a replica that takes over, and to nobody before', async () => {
      await open('alice');
      await sourceOf(failing).poll();
      const seen: SessionEvent[] = [];
      await sourceOf((event) => void seen.push(event)).poll();
      expect(seen).toEqual([]);
      await endTakes();
      await sourceOf((event) => void seen.push(event)).poll();
      expect(seen).toMatchObject([{ type: 'created', principalName: 'alice' }]);
      expect(await countUnhandled()).toBe(0);
      expect(logged().at(-1)).toBe(
        'Cannot handle a session event of type created: a handler has failed (Error). It will be delivered again.',
      );
      expect(logged().join()).not.toContain('secret');
    });

    it('drops an event after five deliveries in vain, and says so', async () => {
      await open('alice');
      let calls = 0;
      const source = sourceOf(() => {
        calls += 1;
        failing();
      }, 0);
      await source.poll();
      expect(calls).toBe(5);
      expect(logged().at(-1)).toMatch(
        /^Cannot handle the session event \S+: it was not handled within 5 deliveries\. It is dropped; check the handlers\.$/,
      );
      expect(logged().join()).not.toContain('secret');
      expect(await countUnhandled()).toBe(0);
    });
  });
}
