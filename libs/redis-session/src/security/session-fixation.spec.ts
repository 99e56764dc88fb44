import { beforeEach, describe, expect, it } from '@jest/globals';
import { TestExchange } from '../../../../test/support/http/test-exchange.js';
import { MapSessionRepository } from '../session/map-session-repository.js';
import { SAVED_REQUESTS_ATTRIBUTE } from '../session/attributes/attribute-names.js';
import { protectFromSessionFixation, type SessionFixationStrategy } from './session-fixation.js';

const SAVED = [{ key: 'k', method: 'GET', url: '/a' }];

describe(protectFromSessionFixation, () => {
  let repository: MapSessionRepository;
  let oldId: string;
  beforeEach(async () => {
    repository = new MapSessionRepository();
    const session = repository.createSession();
    session.setAttribute('cart', ['book']);
    session.setAttribute(SAVED_REQUESTS_ATTRIBUTE, SAVED);
    session.maxInactiveIntervalSeconds = 60;
    await session.save();
    oldId = session.id;
  });

  /** Logs in with the session. @returns the id that the client is told, undefined = none */
  async function login(strategy: SessionFixationStrategy, sessionId: string | undefined = oldId) {
    const exchange = new TestExchange({ repository, sessionId });
    const request = exchange.sessionRequest!;
    await (await protectFromSessionFixation(request, strategy))?.invalidate();
    (await request.getSession()).setAttribute('user', 'kim');
    return exchange.leave();
  }

  async function stored(id: string | undefined) {
    const session = await repository.findById(id!);
    const names = session?.attributeNames ?? [];
    return {
      interval: session?.maxInactiveIntervalSeconds,
      attributes: Object.fromEntries(names.map((name) => [name, session?.getAttribute(name)])),
    };
  }

  it.each(['change-session-id', 'migrate-session'] as const)(
    '%s gives another id, keeps everything, and the old id is dead',
    async (strategy) => {
      const id = await login(strategy);
      expect(id).not.toBe(oldId);
      expect(await stored(id)).toEqual({
        interval: 60,
        attributes: { cart: ['book'], user: 'kim', [SAVED_REQUESTS_ATTRIBUTE]: SAVED },
      });
      expect(await repository.findById(oldId)).toBeUndefined();
    },
  );

  it('new-session keeps only where the user wanted to go', async () => {
    const id = await login('new-session');
    expect(id).not.toBe(oldId);
    expect(await stored(id)).toEqual({
      interval: 1800,
      attributes: { user: 'kim', [SAVED_REQUESTS_ATTRIBUTE]: SAVED },
    });
    expect(await repository.findById(oldId)).toBeUndefined();
  });

  it('none keeps the id', async () => {
    expect(await login('none')).toBeUndefined();
    expect((await stored(oldId)).attributes).toMatchObject({ user: 'kim', cart: ['book'] });
  });

  it.each(['change-session-id', 'migrate-session', 'new-session', 'none'] as const)(
    '%s lets a visitor without a stored session log in',
    async (strategy) => {
      const id = await login(strategy, 'x'.repeat(43));
      expect((await stored(id)).attributes).toEqual({ user: 'kim' });
    },
  );

  it('leaves a session of this very request as it is', async () => {
    const exchange = new TestExchange({ repository });
    const session = await exchange.sessionRequest!.getSession();
    session.setAttribute('cart', ['pen']);
    await protectFromSessionFixation(exchange.sessionRequest!, 'new-session');
    const id = await exchange.leave();
    expect(id).toBe(session.id);
    expect((await stored(id)).attributes).toEqual({ cart: ['pen'] });
  });
});
