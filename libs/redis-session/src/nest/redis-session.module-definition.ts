import { ConfigurableModuleBuilder } from '@nestjs/common';
import { type RedisSessionModuleOptions } from './options/redis-session.options.js';

/** The options with their defaults: `ResolvedOptions`. */
export const RESOLVED_OPTIONS = Symbol('RESOLVED_OPTIONS');
/** The settings and services that all requests share: `RequestSetup`. */
export const REQUEST_SETUP = Symbol('REQUEST_SETUP');

/** The base of the module, which makes it global, and the token of what `forRoot` and `forRootAsync` are given. */
export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN } =
  new ConfigurableModuleBuilder<RedisSessionModuleOptions>({ moduleName: 'RedisSession' })
    .setClassMethodName('forRoot')
    .setFactoryMethodName('createRedisSessionOptions')
    .setExtras({}, (definition) => ({ ...definition, global: true }))
    .build();
