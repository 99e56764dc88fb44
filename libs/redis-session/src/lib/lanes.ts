import { isUnanswered } from './store-operation.js';
import { foreignProperty } from './foreign-property.js';

/** Runs actions one after the other. */
class Lane {
  private last: Promise<unknown> | undefined;

  /** Runs `action` after those that were given before, however they ended; at once when there were none. */
  run<T>(action: () => Promise<T>): Promise<T> {
    const result = this.last?.then(action) ?? action();
    this.last = result.catch(ignore);
    return result;
  }
}

const laneProperty = foreignProperty<Lane>('lane');

/**
 * The lane of what is done to `target`. Not in a `Map`: the tables that a busy one leaves behind keep what was in them until
 * the garbage collector goes through everything. With a whole request in each, that cost a save 10 µs on Node 20.
 */
export function laneOf(target: object): Lane {
  const known = laneProperty.get(target);
  if (known) return known;
  const lane = new Lane();
  laneProperty.set(target, lane);
  return lane;
}

/** Runs actions of the same key one after the other, and those of different keys side by side. */
export class Lanes {
  private readonly endOf = new Map<string, Promise<unknown>>();

  /**
   * Runs `action` after those that were given before under `key`, however they ended; at once when there are none. Only when
   * one gets no answer in time, those that wait behind it fail with it: nobody waits for several deadlines.
   */
  run<T>(key: string, action: () => Promise<T>): Promise<T> {
    const result =
      this.endOf.get(key)?.then((failure) => runUnlessUnanswered(action, failure)) ?? action();
    const leave = (failure?: unknown) => {
      if (this.endOf.get(key) === end) this.endOf.delete(key);
      return failure;
    };
    const end = result.then(() => leave(), leave);
    this.endOf.set(key, end);
    return result;
  }
}

function runUnlessUnanswered<T>(action: () => Promise<T>, failure: unknown): Promise<T> {
  if (isUnanswered(failure)) throw failure;
  return action();
}

function ignore(): void {
  // Whoever gave the action hears of its error.
}
