import { expect, it } from '@jest/globals';
import { type SessionStore } from 'nestjs-redis-session/store';
import { resolveOptions } from '../../../libs/redis-session/src/nest/options/resolve-options.js';

class ClockedStore implements SessionStore {
  readonly name = 'clocked';
  private readonly timeMs = 42;

  createRepository(): never {
    throw new Error('nobody makes one');
  }

  now(): number {
    return this.timeMs;
  }
}

const store = new ClockedStore();
const withoutClock: SessionStore = {
  name: 'other',
  createRepository: () => store.createRepository(),
};

it.each([
  ['the store', { store }, 42],
  ['the application, if it sets one', { store, clock: () => 7 }, 7],
] as const)('sessions go by the clock of %s', (_, options, timeMs) => {
  expect(resolveOptions(options).clock()).toBe(timeMs);
});

it.each([
  ['Redis', { redis: 'redis://localhost:6379' }],
  ['a store without a clock', { store: withoutClock }],
  ['the memory', { store: 'memory' }],
] as const)('sessions in %s go by the clock of the process', (_, options) => {
  expect(resolveOptions(options).clock).toBe(Date.now);
});
