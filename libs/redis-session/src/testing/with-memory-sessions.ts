import { MODULE_OPTIONS_TOKEN } from '../nest/redis-session.module-definition.js';
import { type RedisSessionModuleOptions, resolveOptions } from '../nest/redis-session.options.js';
import { RESOLVED_OPTIONS } from '../nest/redis-session.tokens.js';
import { TestClock } from './test-clock.js';

/** The part of Nest's `TestingModuleBuilder` that is needed. */
export interface OverridableModule {
  overrideProvider(token: unknown): {
    useFactory(options: { factory: (options: never) => unknown; inject?: never[] }): unknown;
  };
}

/**
 * Has the application of a test keep its sessions in memory and go by `clock`. All else stays as its module says.
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
  const factory = (options: RedisSessionModuleOptions) =>
    resolveOptions({
      ...{ ...options, migration: undefined },
      ...{ clock: clock.now, redis: undefined, store: 'memory' },
    });
  builder
    .overrideProvider(RESOLVED_OPTIONS)
    .useFactory({ factory, inject: [MODULE_OPTIONS_TOKEN as never] });
  return builder;
}
