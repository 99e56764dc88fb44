import { beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Collection } from 'mongodb';
import { DeadlineRunner } from '../../libs/redis-session/src/mongo/deadline-runner.js';
import { MongoSessionRepository } from '../../libs/redis-session/src/mongo/sessions/mongo-session-repository.js';
import { type SessionDocument } from '../../libs/redis-session/src/mongo/sessions/session-document.js';
import { sessionCollections } from '../../libs/redis-session/src/mongo/session-collections.js';
import { type MapSession } from '../../libs/redis-session/src/session/map-session.js';
import { DEFAULT_REPOSITORY_OPTIONS } from '../../libs/redis-session/src/session/repository-options.js';
import {
  SessionEncodingError,
  SessionInvalidatedError,
} from '../../libs/redis-session/src/session/session.errors.js';
import { useTestMongo } from '../support/mongo/test-mongo.js';

const mongo = useTestMongo();
let sessions: Collection<SessionDocument>;
let nowMs: number;
let warnings: string[];
let session: MapSession;

/** Another replica. */
function replica(options = {}): MongoSessionRepository {
  const warn = (message: string) => void warnings.push(message);
  const logger = { warn, error: warn };
  const all = { ...DEFAULT_REPOSITORY_OPTIONS, clock: () => nowMs, logger, ...options };
  return new MongoSessionRepository(sessions, new DeadlineRunner(10_000), all);
}

const stored = () => sessions.findOne({ sessionId: session.id });

async function find(options = {}, accessTimeMs?: number): Promise<MapSession> {
  return (await replica(options).findById(session.id, { accessTimeMs }))!;
}

beforeAll(() => {
  ({ sessions } = sessionCollections(mongo.db, 'races'));
});

beforeEach(async () => {
  nowMs = Date.now();
  warnings = [];
  const created = replica().createSession();
  created.setAttribute('count', 1);
  await created.save();
  session = created;
});

describe('a save when another replica has changed the idle time meanwhile', () => {
  it('computes the end of the session from the new one', async () => {
    const mine = await find();
    const other = await find();
    other.maxInactiveIntervalSeconds = 10_000;
    await other.save();
    mine.setAttribute('count', 2);
    await mine.save();
    const document = await stored();
    expect(document?.maxInactiveInterval).toBe(10_000);
    expect(document?.expireAt).toEqual(new Date(nowMs + 10_000_000));
    expect(document?.attributes).toEqual({ count: '2' });
  });

  it('keeps the own one when it has set it, counted from the latest access', async () => {
    const mine = await find();
    nowMs += 5000;
    await find({}, nowMs);
    mine.maxInactiveIntervalSeconds = 60;
    await mine.save();
    expect((await stored())?.expireAt).toEqual(new Date(nowMs + 60_000));
  });

  it('computes the update again as well, and moves to the new id', async () => {
    const mine = await find();
    const other = await find();
    other.maxInactiveIntervalSeconds = 10_000;
    void other.update<number>('count', (count = 0) => count + 10);
    await other.save();
    mine.changeSessionId();
    void mine.update<number>('count', (count = 0) => count + 1);
    await mine.save();
    session = mine;
    expect((await stored())?.attributes).toEqual({ count: '12' });
    expect((await stored())?.expireAt).toEqual(new Date(nowMs + 10_000_000));
  });
});

describe('a save when other replicas change the idle time again and again', () => {
  it('goes on until it has computed the end of the session from the last one', async () => {
    const mine = await find();
    const findOne = sessions.findOne.bind(sessions) as (...given: unknown[]) => Promise<never>;
    let changes = 0;
    sessions.findOne = async (...given: unknown[]) => {
      const found = await findOne(...given);
      const interval = { maxInactiveInterval: 10_000 + changes };
      if (changes++ < 20) await sessions.updateOne({ sessionId: session.id }, { $set: interval });
      return found;
    };
    await sessions.updateOne({ sessionId: session.id }, { $set: { maxInactiveInterval: 9000 } });
    mine.setAttribute('count', 2);
    await mine.save();
    sessions.findOne = findOne;
    const document = await stored();
    expect(document?.attributes).toEqual({ count: '2' });
    expect(document?.expireAt).toEqual(new Date(nowMs + 10_019_000));
  });
});

describe('an access', () => {
  it('of a session with another idle time than usual ends it when that is over', async () => {
    const mine = await find();
    mine.maxInactiveIntervalSeconds = 10_000;
    await mine.save();
    nowMs += 1000;
    await find({}, nowMs);
    expect((await stored())?.expireAt).toEqual(new Date(nowMs + 10_000_000));
  });

  it('never moves the absolute end', async () => {
    const options = { absoluteTimeoutSeconds: 2000 };
    const endMs = nowMs + 2_000_000;
    for (const seconds of [100, 100, 1700]) {
      nowMs += seconds * 1000;
      await find(options, nowMs);
      const expireMs = Math.min(nowMs + 1_800_000, endMs);
      expect((await stored())?.expireAt).toEqual(new Date(expireMs));
    }
    nowMs += 100_000;
    expect(await replica(options).findById(session.id, { accessTimeMs: nowMs })).toBeUndefined();
    expect(await stored()).toBeNull();
  });
});

describe('a new id', () => {
  it('leaves the old one to nobody, also to a save that was under way', async () => {
    const mine = await find();
    const other = await find();
    mine.changeSessionId();
    await mine.save();
    other.setAttribute('count', 3);
    await expect(other.save()).rejects.toThrow(SessionInvalidatedError);
    expect(await replica().findById(session.id)).toBeUndefined();
    expect((await replica().findById(mine.id))?.getAttribute('count')).toBe(1);
  });
});

describe('names of attributes', () => {
  it('may be what a path of MongoDB would take for something else', async () => {
    const mine = await find();
    const names = ['a.b', 'a', '$set', '$', '.', 'a%2Eb', '%', '', '__proto__', '0', 'a.$[].b'];
    for (const name of names) mine.setAttribute(name, name);
    await mine.save();
    const found = await find();
    for (const name of names) expect(found.getAttribute(name)).toBe(name);
    for (const name of names) found.removeAttribute(name);
    await found.save();
    expect((await stored())?.attributes).toEqual({ count: '1' });
  });
});

describe('a session that is larger than 16 MB', () => {
  it('is refused as a value that cannot be stored, and stays as it was', async () => {
    const mine = await find();
    mine.setAttribute('large', 'x'.repeat(20_000_000));
    await expect(mine.save()).rejects.toThrow(SessionEncodingError);
    await expect(mine.save()).rejects.toThrow(
      'the session as a whole is larger than the 16 MB of a document of MongoDB. Store less.',
    );
    expect((await stored())?.attributes).toEqual({ count: '1' });
  });
});

describe('a document that something else has written', () => {
  it.each([
    [{ creationTime: 1 }, 'a time of it is missing or of another type'],
    [{ attributes: { a: 1 } }, 'an attribute is no text'],
    [{ maxInactiveInterval: 'x' }, 'a time of it is missing or of another type'],
  ])(
    'counts as no session, with a warning that shows nothing of it (%j)',
    async (fields, problem) => {
      await sessions.updateOne({ sessionId: session.id }, { $set: fields as object });
      expect(await replica().findById(session.id)).toBeUndefined();
      expect(warnings.filter((line) => line.startsWith('Cannot read'))).toEqual([
        `Cannot read a session: ${problem}, so something else has written it. Delete the session; the client gets a new one.`,
      ]);
      expect(warnings.join()).not.toContain(session.id);
      await replica().deleteById(session.id);
      warnings.length = 0;
      expect(await replica().findById(session.id)).toBeUndefined();
      expect(warnings).toEqual([]);
    },
  );
});
