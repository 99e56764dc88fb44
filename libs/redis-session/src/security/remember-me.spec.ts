import { describe, expect, it } from '@jest/globals';
import { TestExchange } from '../../../../test/support/http/test-exchange.js';
import { MapSessionRepository } from '../session/map-session-repository.js';
import { type Authentication } from './authentication.js';
import {
  asksToBeRemembered,
  forgetRememberedSession,
  rememberedSeconds,
  rememberSession,
  withEffectiveKind,
} from './remember-me.js';
import { REMEMBER_ME_ATTRIBUTE } from '../session/attributes/attribute-names.js';

const THIRTY_DAYS = 2_592_000;
const kim: Authentication = {
  name: 'kim',
  principal: 'kim',
  authorities: [],
  kind: 'full',
  authenticatedAt: 1_000_000,
};

describe(asksToBeRemembered, () => {
  it.each(['true', 'on', 'yes', '1', 'ON', 'True', true, 1])('takes %j for yes', (value) => {
    expect(asksToBeRemembered({ 'remember-me': value }, 'remember-me')).toBe(true);
  });

  it.each(['', 'off', 'no', '0', 'false', 'y', false, 0, null, undefined, ['on'], {}])(
    'takes %j for no',
    (value) => {
      expect(asksToBeRemembered({ 'remember-me': value }, 'remember-me')).toBe(false);
    },
  );

  it.each([undefined, null, 'remember-me=on', 7, {}, { stay: 'on' }])(
    'finds nothing in %j',
    (body) => {
      expect(asksToBeRemembered(body, 'remember-me')).toBe(false);
    },
  );

  it('takes the name of the parameter from the option, and nothing from the prototype', () => {
    expect(asksToBeRemembered({ stay: 'on' }, 'stay')).toBe(true);
    expect(asksToBeRemembered(Object.create({ stay: 'on' }), 'stay')).toBe(false);
  });
});

describe(rememberSession, () => {
  it('defaults to 30 days', () => {
    const session = new MapSessionRepository().createSession();
    rememberSession(session, { validitySeconds: 2_592_000 });
    expect(session.maxInactiveIntervalSeconds).toBe(THIRTY_DAYS);
    expect(rememberedSeconds(session)).toBe(THIRTY_DAYS);
  });

  it('tells the client to keep the id as long, again whenever the id changes', async () => {
    const repository = new MapSessionRepository();
    const login = new TestExchange({ repository });
    rememberSession(await login.sessionRequest!.getSession(), { validitySeconds: 600 });
    const sessionId = await login.leave();
    expect(login.announced).toMatchObject([{ sessionId, maxAgeSeconds: 600 }]);

    const later = new TestExchange({ repository, sessionId });
    (await later.sessionRequest!.getSession()).changeSessionId();
    const changedId = await later.leave();
    expect(changedId).not.toBe(sessionId);
    expect(later.announced).toMatchObject([{ sessionId: changedId, maxAgeSeconds: 600 }]);
  });

  it('leaves the lifetime of an ordinary session to the resolver', async () => {
    const exchange = new TestExchange({ repository: new MapSessionRepository() });
    (await exchange.sessionRequest!.getSession()).setAttribute('cart', 1);
    await exchange.leave();
    expect(exchange.announced[0]?.maxAgeSeconds).toBeUndefined();
  });
});

describe(forgetRememberedSession, () => {
  it('makes a remembered session an ordinary one', () => {
    const session = new MapSessionRepository().createSession();
    rememberSession(session, { validitySeconds: 600 });
    forgetRememberedSession(session, 1800);
    expect(session.maxInactiveIntervalSeconds).toBe(1800);
    expect(rememberedSeconds(session)).toBeUndefined();
  });

  it('leaves the idle time that somebody gave an ordinary session', () => {
    const session = new MapSessionRepository().createSession();
    session.maxInactiveIntervalSeconds = 60;
    forgetRememberedSession(session, 1800);
    expect(session.maxInactiveIntervalSeconds).toBe(60);
  });
});

describe(rememberedSeconds, () => {
  it.each([null, 'x', 7, {}, { validitySeconds: '600' }, { validitySeconds: -1 }])(
    'takes the mark %j for none',
    (mark) => {
      const session = new MapSessionRepository().createSession();
      session.setAttribute(REMEMBER_ME_ATTRIBUTE, mark);
      expect(rememberedSeconds(session)).toBeUndefined();
    },
  );
});

describe(withEffectiveKind, () => {
  const after = (seconds: number) => ({
    nowMs: kim.authenticatedAt + seconds * 1000,
    fullAuthenticationSeconds: 1800,
  });
  const remembered = new MapSessionRepository().createSession();
  rememberSession(remembered, { validitySeconds: 600 });

  it('is full until the time is over, and remembered from that instant on', () => {
    expect(withEffectiveKind(kim, remembered, after(1799)).kind).toBe('full');
    expect(withEffectiveKind(kim, remembered, after(1800))).toEqual({
      ...kim,
      kind: 'remember-me',
    });
  });

  it('stays full in an ordinary session', () => {
    const ordinary = new MapSessionRepository().createSession();
    expect(withEffectiveKind(kim, ordinary, after(THIRTY_DAYS)).kind).toBe('full');
  });

  it('ages in any session when it is told to, and soonest of both in a remembered one', () => {
    const ordinary = new MapSessionRepository().createSession();
    const aging = (seconds: number) => ({ ...after(seconds), agesAfterSeconds: 600 });
    expect(withEffectiveKind(kim, ordinary, aging(599)).kind).toBe('full');
    expect(withEffectiveKind(kim, ordinary, aging(600)).kind).toBe('aged');
    expect(withEffectiveKind(kim, remembered, aging(600)).kind).toBe('remember-me');
    expect(withEffectiveKind({ ...kim, authenticatedAt: NaN }, ordinary, aging(0)).kind).toBe(
      'aged',
    );
  });

  it('is full again after a new login', () => {
    const again = { ...kim, authenticatedAt: after(9000).nowMs };
    expect(withEffectiveKind(again, remembered, after(9001)).kind).toBe('full');
  });

  it('is not full when the time of the login is unknown', () => {
    const unknown = { ...kim, authenticatedAt: NaN };
    expect(withEffectiveKind(unknown, remembered, after(0)).kind).toBe('remember-me');
  });
});
