import { afterEach, beforeEach, describe, expect, it } from './test-functions.js';
import { eventually } from './eventually.js';
import { generateSessionId } from '../../session/session-id.js';
import { type SessionEvent, type SessionEventSource } from '../../session/session-event.js';
import {
  IndexedRepositoryUnderTest,
  type IndexedRepositoryFactory,
  signIn,
} from './indexed-repository-under-test.js';

/** What is told of sessions, and to whom. */
export function describeEvents(factory: IndexedRepositoryFactory): void {
  let test: IndexedRepositoryUnderTest;
  let running: SessionEventSource[];
  let alice: string;

  beforeEach(() => {
    test = new IndexedRepositoryUnderTest(factory);
    running = [];
    alice = `alice-${generateSessionId()}`;
  });

  afterEach(async () => {
    await test.repository.stopExpiring();
    await Promise.all(running.map((source) => source.stop()));
  });

  /** Starts a replica. @returns the events of this test's sessions that it sees, those of `user` or of `ids` */
  async function listen(
    delivery: 'once' | 'broadcast',
    name: string,
    handle: (event: SessionEvent) => void | Promise<void> = () => undefined,
  ): Promise<SessionEvent[]> {
    const seen: SessionEvent[] = [];
    const source = test.listen(delivery, name, async (event) => {
      await handle(event);
      seen.push(event);
    });
    running.push(source);
    await source.start();
    return seen;
  }

  const ofSession = (events: readonly SessionEvent[], id: string) =>
    events.filter(({ sessionId }) => sessionId.slice(0, 8) === id.slice(0, 8));
  const typesOf = (events: readonly SessionEvent[], id: string) =>
    ofSession(events, id).map(({ type }) => type);
  const isEnded = (events: readonly SessionEvent[], id: string) => () =>
    Promise.resolve(typesOf(events, id).some((type) => type === 'deleted' || type === 'expired'));

  describe('an event', () => {
    it('tells the life of a session in order', async () => {
      const seen = await listen('once', alice);
      const session = await test.open(undefined, { cart: ['book'], tenant: 'acme' });
      const firstId = session.id;
      signIn(session, alice);
      await session.save();
      await session.invalidate();
      await eventually(isEnded(seen, session.id));
      const [created, changed, deleted] = ofSession(seen, session.id);
      expect(typesOf(seen, session.id)).toEqual(['created', 'id-changed', 'deleted']);
      expect(created).toMatchObject({ sessionId: firstId, principalName: undefined });
      expect(changed).toMatchObject({
        sessionId: session.id,
        previousSessionId: firstId,
        principalName: alice,
      });
      expect(deleted).toMatchObject({ sessionId: session.id, principalName: alice });
      expect(deleted?.attributes.get('cart')).toEqual(['book']);
      expect(deleted?.indexes.get('tenant')).toBe('acme');
      expect(deleted?.reason).toBeUndefined();
      expect(Number.isNaN(deleted?.occurredAt.getTime())).toBe(false);
    });

    it('carries only the attributes that the option names', async () => {
      test = new IndexedRepositoryUnderTest(factory, { eventAttributes: ['cart'] });
      const seen = await listen('once', alice);
      const session = await test.open(alice, { cart: ['book'], secret: 'x' });
      await session.invalidate();
      await eventually(isEnded(seen, session.id));
      const attributes = ofSession(seen, session.id).map((event) => [...event.attributes]);
      expect(attributes).toEqual([[['cart', ['book']]], [['cart', ['book']]]]);
    });

    it('tells why somebody else has ended the session', async () => {
      const seen = await listen('once', alice);
      const { id } = await test.open(alice);
      await test.repository.endById(id, 'signed-out');
      await eventually(isEnded(seen, id));
      expect(ofSession(seen, id).at(-1)).toMatchObject({ type: 'deleted', reason: 'signed-out' });
    });

    it('tells the end of a session that nobody looks at any more, once', async () => {
      const seen = await listen('once', alice);
      const { id } = await test.open(alice, { cart: ['book'] });
      const other = await test.open();
      test.pass(1800);
      await test.repository.startExpiring();
      await eventually(isEnded(seen, id));
      await eventually(isEnded(seen, other.id));
      expect(typesOf(seen, id)).toEqual(['created', 'expired']);
      expect(ofSession(seen, id).at(-1)?.attributes.get('cart')).toEqual(['book']);
    });

    it('is not recorded when nobody wants it', async () => {
      const silent = new IndexedRepositoryUnderTest(factory, { eventDelivery: 'none' });
      const quiet = await silent.open(alice);
      await quiet.invalidate();
      const seen = await listen('once', alice);
      const told = await test.open(alice);
      await told.invalidate();
      await eventually(isEnded(seen, told.id));
      expect(ofSession(seen, quiet.id)).toEqual([]);
    });
  });

  describe("delivery 'once'", () => {
    it('gives each event to one replica', async () => {
      const replicas = [await listen('once', `${alice}-1`), await listen('once', `${alice}-2`)];
      const sessions = [];
      for (let i = 0; i < 20; i++) sessions.push(await test.open(alice));
      const idsSeen = () =>
        replicas.flat().flatMap((event) => (event.principalName === alice ? [event.eventId] : []));
      await eventually(() => Promise.resolve(idsSeen().length >= 20));
      expect(new Set(idsSeen()).size).toBe(20);
      expect(idsSeen()).toHaveLength(20);
    });

    it('delivers what happened while no replica was running', async () => {
      const session = await test.open(alice);
      await session.invalidate();
      const seen = await listen('once', alice);
      await eventually(isEnded(seen, session.id));
      expect(typesOf(seen, session.id)).toEqual(['created', 'deleted']);
    });
  });

  describe("delivery 'broadcast'", () => {
    it('gives each event to every replica, and nothing of before', async () => {
      const earlier = await test.open(alice);
      const [first, second] = [
        await listen('broadcast', `${alice}-1`),
        await listen('broadcast', `${alice}-2`),
      ];
      const session = await test.open(alice);
      await session.invalidate();
      for (const seen of [first, second]) {
        await eventually(isEnded(seen, session.id));
        expect(typesOf(seen, session.id)).toEqual(['created', 'deleted']);
        expect(ofSession(seen, earlier.id)).toEqual([]);
      }
    });

    it('goes on where it was when a replica restarts, also after a handler that failed', async () => {
      await listen('broadcast', alice, () => {
        throw new Error('secret');
      });
      const lost = await test.open(alice);
      await lost.invalidate();
      const told = () => test.warnings.filter((text) => text.includes('deleted')).length > 0;
      await eventually(() => Promise.resolve(told()));
      expect(test.warnings.join()).not.toContain('secret');
      await running.pop()?.stop();
      const session = await test.open(alice);
      await session.invalidate();
      const seen = await listen('broadcast', alice);
      await eventually(isEnded(seen, session.id));
      expect(typesOf(seen, session.id)).toEqual(['created', 'deleted']);
      expect(ofSession(seen, lost.id)).toEqual([]);
    });
  });
}
