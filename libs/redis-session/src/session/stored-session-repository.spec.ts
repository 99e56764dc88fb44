import { describe, expect, it } from '@jest/globals';
import { setImmediate as turn } from 'node:timers/promises';
import { MapSessionRepository } from './map-session-repository.js';
import { type SaveOutcome, type SessionChange } from './session-change.js';
import { SessionStoreError } from './session.errors.js';

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
