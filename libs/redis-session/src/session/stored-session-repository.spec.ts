import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { MapSessionRepository } from './map-session-repository.js';
import { type SaveOutcome, type SessionChange, type StoredSession } from './session-change.js';
import { viewOf } from './map-session.js';
import { SessionStoreError, afterSave, isDoubtful, refused } from './session.errors.js';

/** Another process changes `count` before each save that `isLate` says comes too late. */
class BusyRepository extends MapSessionRepository {
  attempts = 0;
  private changes = 0;

  constructor(private readonly isLate: (attempt: number) => boolean) {
    super({ logger: { warn: () => undefined, error: () => undefined } });
  }

  protected override async write(change: SessionChange): Promise<SaveOutcome> {
    if (change.isNew) return super.write(change);
    this.attempts += 1;
    await turn();
    if (!this.isLate(this.attempts)) return { kind: 'saved' };
    this.changes += 1;
    return { kind: 'conflict', current: new Map([['count', `${this.changes}`]]) };
  }
}

/** @returns the count after an increment */
async function increment(repository: BusyRepository): Promise<number | undefined> {
  const created = repository.createSession();
  created.setAttribute('count', 0);
  await repository.save(created);
  const session = await repository.findById(created.id);
  await session?.update<number>('count', (count = 0) => count + 1);
  return session?.getAttribute('count');
}

describe('An update of an attribute that another process keeps changing', () => {
  it('is saved although the other process changes it whenever this one waits', async () => {
    let hasWaited = false;
    const timer = setInterval(() => (hasWaited = true), 0);
    const repository = new BusyRepository((attempt) => {
      const isLate = attempt <= 2 || hasWaited;
      hasWaited = false;
      return isLate;
    });

    try {
      expect(await increment(repository)).toBe(repository.attempts);
    } finally {
      clearInterval(timer);
    }
  });

  it('is saved although the other process is busy for longer than all attempts take without a wait', async () => {
    let isBusy = true;
    const repository = new BusyRepository(() => isBusy);
    const counting = increment(repository);
    for (let turns = 0; turns < 36; turns++) await turn();
    isBusy = false;

    expect(await counting).toBe(repository.attempts);
  });

  it('fails when every attempt comes too late, and the error says what to do', async () => {
    const repository = new BusyRepository(() => true);

    const failure = await increment(repository).catch((error: unknown) => error);

    expect(failure).toBeInstanceOf(SessionStoreError);
    expect(String(failure)).toContain('Send the request again');
    expect(repository.attempts).toBeLessThanOrEqual(32);
  });
});

/** Loses the answers to the first saves of updates: of some it has stored what they said. */
class LosingRepository extends MapSessionRepository {
  constructor(private readonly losses: ('stored' | 'not stored')[]) {
    super({ logger: { warn: () => undefined, error: () => undefined } });
  }

  protected override async write(change: SessionChange): Promise<SaveOutcome> {
    const loss = change.isNew ? undefined : this.losses.shift();
    const outcome = loss === 'not stored' ? undefined : await super.write(change);
    if (loss === undefined && outcome) return outcome;
    throw SessionStoreError.create('save the session', new Error('no answer'));
  }
}

describe('An update whose save has failed', () => {
  it.each([
    { losses: ['stored'] },
    { losses: ['not stored', 'stored'] },
    { losses: ['stored', 'not stored'] },
  ] as const)('is not saved again when it may be stored ($losses)', async ({ losses }) => {
    const repository = new LosingRepository([...losses]);
    const created = repository.createSession();
    created.setAttribute('count', 0);
    await created.save();
    const session = await repository.findById(created.id);
    session?.update<number>('count', (value = 0) => value + 1);

    for (let attempt = 0; attempt < losses.length + 2; attempt++)
      await expect(session?.save()).rejects.toBeInstanceOf(SessionStoreError);
    const stored = await repository.findById(created.id);
    expect(stored?.getAttribute('count')).toBe(1);
  });

  it('is saved at the next attempt when nothing was stored, and conflicts with others as before', async () => {
    const repository = new LosingRepository(['not stored']);
    const created = repository.createSession();
    created.setAttribute('count', 0);
    await created.save();
    const session = await repository.findById(created.id);
    session?.update<number>('count', (value = 0) => value + 1);
    await expect(session?.save()).rejects.toBeInstanceOf(SessionStoreError);
    await session?.save();

    const other = await repository.findById(created.id);
    await other?.update<number>('count', (value = 0) => value + 1);
    await session?.update<number>('count', (value = 0) => value + 1);
    expect(session?.getAttribute('count')).toBe(3);
  });
});

describe('A step after a save that Redis refuses', () => {
  it('does not say that nothing was saved', () => {
    const refusal = refused(SessionStoreError.create('end the session', new Error('READONLY')));
    expect(isDoubtful(refusal)).toBe(false);
    const told = afterSave(refusal) as SessionStoreError;
    expect(isDoubtful(told)).toBe(true);
    expect([told.message, told.cause]).toEqual([refusal.message, refusal.cause]);
  });
});

describe('A stored number that JSON cannot write', () => {
  it('is shown to the functions that look at a session once a handler has read it', async () => {
    const stored = new Map<string, StoredSession>();
    const repository = new MapSessionRepository({}, stored);
    const created = repository.createSession();
    created.setAttribute('big', [1]);
    await repository.save(created);
    const kept = stored.get(created.id)!;
    stored.set(created.id, { ...kept, attributes: new Map([['big', '[1e999]']]) });
    const session = (await repository.findById(created.id))!;
    expect(session.getAttribute('big')).toEqual([Infinity]);
    expect(viewOf(session).getAttribute('big')).toEqual([Infinity]);
  });
});
