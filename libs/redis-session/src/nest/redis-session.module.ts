import {
  type DynamicModule,
  Inject,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type OnModuleInit,
  RequestMethod,
} from '@nestjs/common';
import { DiscoveryModule, HttpAdapterHost, ModuleRef, ModulesContainer } from '@nestjs/core';
import { bindInterceptors } from './login/login-redirect.interceptor.js';
import { toFunction } from '../express-session/redis-session.middleware.js';
import {
  type ASYNC_OPTIONS_TYPE,
  ConfigurableModuleClass,
  type OPTIONS_TYPE,
} from './redis-session.module-definition.js';
import { type ResolvedOptions } from './options/redis-session.options.js';
import { resolveOptions } from './options/resolve-options.js';
import { EXPORTED_PROVIDERS, REDIS_SESSION_PROVIDERS } from './redis-session.providers.js';
import { RESOLVED_OPTIONS } from './redis-session.tokens.js';
import { LogoutMiddleware } from './login/logout.middleware.js';
import { rememberModule } from '../testing/server-modules.js';
import { SessionRepositoryMiddleware } from './session-repository.middleware.js';

/**
 * Keeps HTTP sessions in Redis, and users logged in across replicas. Import it once, in the root module; it is global.
 *
 * Mirrors `@EnableRedisHttpSession` of Spring Session with the session part of `HttpSecurity` of Spring Security.
 */
@Module({
  imports: [DiscoveryModule],
  providers: REDIS_SESSION_PROVIDERS,
  exports: EXPORTED_PROVIDERS,
})
export class RedisSessionModule
  extends ConfigurableModuleClass
  implements NestModule, OnModuleInit
{
  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    private readonly adapterHost: HttpAdapterHost,
    private readonly moduleRef: ModuleRef,
    modules: ModulesContainer,
  ) {
    super();
    bindInterceptors(modules);
  }

  onModuleInit(): void {
    const adapter = this.adapterHost.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    const server = adapter?.getHttpServer() as object | undefined;
    if (server) rememberModule(server, this.moduleRef);
  }

  /** @throws SessionOptionError naming the option that is unknown, wrong, or contradicts another */
  static override forRoot(options: typeof OPTIONS_TYPE): DynamicModule {
    resolveOptions(options);
    return super.forRoot(options);
  }

  /** The options come from a factory, a class with `createRedisSessionOptions()`, or an existing provider of such a class. */
  static override forRootAsync(options: typeof ASYNC_OPTIONS_TYPE): DynamicModule {
    return super.forRootAsync(options);
  }

  configure(consumer: MiddlewareConsumer): void {
    const { exclude, security } = this.options;
    if (exclude.length === 0)
      this.adapterHost.httpAdapter.use(toFunction(this.moduleRef.get(SessionRepositoryMiddleware)));
    else
      consumer
        .apply(SessionRepositoryMiddleware)
        .exclude(...exclude)
        .forRoutes('{*path}');
    if (!security || !security.logout) return;
    const logoutRoute = { path: security.logout.path, method: RequestMethod.POST };
    consumer.apply(LogoutMiddleware).forRoutes(logoutRoute);
  }
}
