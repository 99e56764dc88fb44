/** What Jest and Vitest have in common, as far as the contract uses it. */
interface Matchers<Result> {
  readonly not: Matchers<Result>;
  toBe(expected: unknown): Result;
  toBeUndefined(): Result;
  toContain(expected: unknown): Result;
  toEqual(expected: unknown): Result;
  toHaveLength(expected: number): Result;
  toHaveProperty(name: string): Result;
  toMatchObject(expected: object): Result;
  toThrow(expected?: unknown): Result;
}

interface Expectation extends Matchers<void> {
  readonly rejects: Matchers<Promise<void>>;
  readonly resolves: Matchers<Promise<void>>;
}

type Test = () => void | Promise<void>;

interface TestFunctions {
  afterEach: (cleanUp: Test) => void;
  beforeEach: (prepare: Test) => void;
  describe: (title: string, tests: () => void) => void;
  expect: (value: unknown) => Expectation;
  it: ((title: string, test: Test) => void) & {
    each<T>(cases: readonly T[]): (title: string, test: (value: T) => void | Promise<void>) => void;
  };
}

/** The global functions of the test runner: the contract depends on none. Vitest needs its option `globals`. */
export const { afterEach, beforeEach, describe, expect, it } =
  globalThis as unknown as TestFunctions;
