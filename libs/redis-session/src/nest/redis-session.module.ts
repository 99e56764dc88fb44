import {
  type DynamicModule,
  Inject,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type OnModuleInit,
  RequestMethod,
} from '@nestjs/common';
import {
  ApplicationConfig,
  DiscoveryModule,
  HttpAdapterHost,
  ModuleRef,
  ModulesContainer,
} from '@nestjs/core';
import { mapToExcludeRoute } from '@nestjs/core/middleware/utils.js';
import { isRouteExcluded } from '@nestjs/core/router/utils/exclude-route.util.js';
import { checkHandlers } from './access/handler-checks.js';
import { watchMicroservices } from './access/microservice-guards.js';
import { ConfigurableModuleClass, RESOLVED_OPTIONS } from './redis-session.module-definition.js';
import {
  type ExcludedRoute,
  type RedisSessionModuleOptions,
  type ResolvedOptions,
} from './options/redis-session.options.js';
import { resolveOptions } from './options/resolve-options.js';
import { EXPORTED_PROVIDERS, REDIS_SESSION_PROVIDERS } from './redis-session.providers.js';
import { LogoutMiddleware } from './login/logout.service.js';
import { SessionRepositoryMiddleware, toFunction } from './session-pipeline.js';
import { warnOfIds } from '../session/session-id.js';
import { SessionOptionError } from '../session/session.errors.js';

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
  private readonly inheritsGuards: () => boolean;

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    private readonly adapterHost: HttpAdapterHost,
    private readonly moduleRef: ModuleRef,
    private readonly modules: ModulesContainer,
  ) {
    super();
    refuseSecond(modules);
    this.inheritsGuards = watchMicroservices(
      modules,
      moduleRef.get(ApplicationConfig, { strict: false }),
    );
  }

  /** @throws SessionOptionError for a handler whose decorators would do nothing */
  onModuleInit(): void {
    const { features, logger, sessionIdGenerator, sessionIdPattern } = this.options;
    const isHybrid = (this.adapterHost as Partial<HttpAdapterHost>).httpAdapter !== undefined;
    const hasUnguardedPatterns = isHybrid && !this.inheritsGuards();
    checkHandlers(this.modules, this.options, hasUnguardedPatterns);
    if (!features.some(({ choosesIds }) => choosesIds))
      warnOfIds(sessionIdGenerator, sessionIdPattern, logger);
  }

  /** @throws SessionOptionError naming the option that is unknown, wrong, or contradicts another */
  static override forRoot(options: RedisSessionModuleOptions): DynamicModule {
    resolveOptions(options);
    return super.forRoot(options);
  }

  /** Mounts the session middleware in front of every guard. Nest calls it. */
  configure(consumer: MiddlewareConsumer): void {
    const { exclude, security } = this.options;
    const { httpAdapter } = this.adapterHost;
    const sessions = toFunction(this.moduleRef.get(SessionRepositoryMiddleware));
    if (exclude.length === 0) httpAdapter.use(sessions);
    else
      consumer
        .apply(SessionRepositoryMiddleware)
        .exclude(...exclude)
        .forRoutes('{*path}');
    if (!security || !security.logout) return;
    refuseExcludedLogout(
      security.logout.path,
      exclude,
      this.moduleRef.get(ApplicationConfig, { strict: false }).getGlobalPrefix(),
    );
    const middleware = this.moduleRef.get(LogoutMiddleware);
    const logout = toFunction(middleware);
    // A global prefix moves what is applied by the consumer, but not the login page.
    httpAdapter.use((...[request, response, next]: Parameters<typeof logout>) => {
      if (!middleware.matches(request)) {
        next();
        return;
      }
      sessions(request, response, (error) => {
        if (error === undefined) logout(request, response, next);
        else next(error);
      });
    });
  }
}

/** The session of such a request could not be ended. */
function refuseExcludedLogout(
  path: string,
  exclude: readonly ExcludedRoute[],
  globalPrefix: string,
): void {
  const prefix = globalPrefix.replace(/^\/?(.*?)\/?$/, '$1/');
  const routes = mapToExcludeRoute(
    exclude.map((route) => {
      const info = typeof route === 'string' ? { path: route, method: RequestMethod.ALL } : route;
      return { ...info, path: `${prefix}${info.path.replace(/^\//, '')}` };
    }),
  );
  if (!isRouteExcluded(routes, path, RequestMethod.POST)) return;
  throw new SessionOptionError(
    `security.logout.path must be a path with sessions, got ${JSON.stringify(path)}, which the option exclude covers. Leave it out of exclude.`,
  );
}

/** Two modules would read, save and announce two sessions for each request. */
function refuseSecond(modules: ModulesContainer): void {
  const own = [...modules.values()].filter(({ metatype }) => metatype === RedisSessionModule);
  if (own.length < 2) return;
  throw new SessionOptionError(
    `Cannot start with ${own.length} RedisSessionModules: it is global, and a request has one session. Call forRoot once, in the root module.`,
  );
}
