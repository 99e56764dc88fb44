import { ModuleRef } from '@nestjs/core';
import { rememberModule } from './server-sessions.js';
import { type DynamicModule, Module } from '@nestjs/common';
import { RedisSessionModule } from '../nest/redis-session.module.js';
import { type RedisSessionModuleOptions } from '../nest/options/redis-session.options.js';
import { TestClock } from './test-clock.js';

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
