import { type DynamicModule, Module } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { type RedisSessionModuleOptions } from '../nest/options/redis-session.options.js';
import {
  configureOptions,
  resolveConfigured,
  REDIS_INDEX_OPTIONS,
} from '../nest/options/resolve-options.js';
import { MODULE_OPTIONS_TOKEN, RESOLVED_OPTIONS } from '../nest/redis-session.module-definition.js';
import { RedisSessionModule } from '../nest/redis-session.module.js';
import { rememberModule } from './test-sessions.js';

/** The options of `RedisSessionModule` without those of Redis, and a clock. */
export type RedisSessionTestingOptions = Omit<
  RedisSessionModuleOptions,
  'clock' | 'redis' | 'store'
> & {
  /** @defaultValue one that `app.get(TestClock)` gives */
  readonly clock?: TestClock;
};

/**
 * `RedisSessionModule` for tests that make a module of their own: sessions are in memory and go by a {@link TestClock}. For
 * tests of a whole application see `withMemorySessions`.
 */
@Module({})
export class RedisSessionTestingModule {
  constructor(module: ModuleRef) {
    rememberModule(module);
  }

  /**
   * Makes the module, and a provider for the clock.
   *
   * @throws SessionOptionError naming a wrong option
   */
  static forRoot({
    clock = new TestClock(),
    ...options
  }: RedisSessionTestingOptions = {}): DynamicModule {
    return {
      module: RedisSessionTestingModule,
      global: true,
      imports: [RedisSessionModule.forRoot({ ...options, clock: clock.now, store: 'memory' })],
      providers: [{ provide: TestClock, useValue: clock }],
      exports: [TestClock],
    };
  }
}

/** The part of Nest's `TestingModuleBuilder` that is needed. */
export interface OverridableModule {
  /** Replaces a provider, as Nest does. */
  overrideProvider(token: unknown): {
    /** Takes the function that makes the value. */
    useFactory(options: { factory: (...args: never[]) => unknown; inject?: never[] }): unknown;
  };
}

/**
 * Has the application of a test keep its sessions in memory and go by `clock`. All else stays as its module says:
 * `SessionRegistry`, `maximumSessions` and session events work as with `repository: 'indexed'` in Redis.
 *
 * ```ts
 * const clock = new TestClock();
 * const testing = Test.createTestingModule({ imports: [AppModule] });
 * const app = (await withMemorySessions(testing, clock).compile()).createNestApplication();
 * ```
 */
export function withMemorySessions<Builder extends OverridableModule>(
  builder: Builder,
  clock = new TestClock(),
): Builder {
  const factory = (options: RedisSessionModuleOptions, module: ModuleRef) => {
    rememberModule(module);
    const configured = withoutRedis(configureOptions(options));
    return resolveConfigured({ ...configured, clock: clock.now, store: 'memory' });
  };
  builder
    .overrideProvider(RESOLVED_OPTIONS)
    .useFactory({ factory, inject: [MODULE_OPTIONS_TOKEN as never, ModuleRef as never] });
  return builder;
}

/** What only Redis understands is left out, so that the rest of the application can be tested. */
function withoutRedis({
  durability: _durability,
  indexed,
  namespace: _namespace,
  redis: _redis,
  ...options
}: RedisSessionModuleOptions): RedisSessionModuleOptions {
  const ofRedis: readonly string[] = REDIS_INDEX_OPTIONS;
  const kept = Object.entries(indexed ?? {}).filter(([name]) => !ofRedis.includes(name));
  return { ...options, indexed: indexed && Object.fromEntries(kept) };
}

/** A clock that stands still until it is told to go on. It starts at the real time. */
export class TestClock {
  /** Epoch ms. */
  nowMs = Date.now();

  /** For the option `clock`. */
  readonly now = (): number => this.nowMs;

  /** Moves the clock forward. */
  advanceSeconds(seconds: number): void {
    this.nowMs += seconds * 1000;
  }
}
