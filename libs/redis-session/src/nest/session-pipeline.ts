import { type IncomingMessage, type ServerResponse } from 'node:http';
import {
  Inject,
  Injectable,
  type NestMiddleware,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  type OnApplicationShutdown,
  type OnModuleInit,
} from '@nestjs/common';
import { CommittedResponse } from '../http/response/committed-response.js';
import { type RequestSetup } from '../http/request/request-setup.js';
import { SessionRequest } from '../http/request/session-request.js';
import { type SecurityContext, runInScope } from '../security/security-context.js';
import { type ResolvedOptions, type ConnectedFeature } from './options/redis-session.options.js';
import { HttpPlatform } from './http-platform.js';
import {
  showUser,
  beginMessageStep,
  findSessionRequest,
  isMessage,
  messageContextOf,
} from './call-context.js';
import { RESOLVED_OPTIONS, REQUEST_SETUP } from './redis-session.module-definition.js';
import { toHttpException } from './access/security.exceptions.js';
import { SSE_METADATA } from '@nestjs/common/constants.js';
import { type Observable, finalize, from, map, mergeMap, of } from 'rxjs';
import { foreignProperty } from '../lib/foreign-property.js';
import { HttpAdapterHost } from '@nestjs/core';
import { stopInTime } from '../lib/store-operation.js';
import { insecureCookieWarning } from '../http/session-id/insecure-cookie-warning.js';
import { CookieSessionIdResolver } from '../http/session-id/session-id-resolver.js';
import { lateReadListener, securityContextLoader } from './access/security-context-loader.js';
import { OpenSessionStore, visitorTimeoutsOf } from './session-store.providers.js';

type Next = (error?: unknown) => void;

/** `upgrade`: somebody listens for upgrades. Node does not emit those as requests, so somebody has routed this one himself. */
type Request = IncomingMessage & { readonly upgrade?: boolean };

/** The features of the application, and what its requests share once every feature has had its say. */
@Injectable()
export class SessionFeatures implements OnModuleInit, OnApplicationShutdown {
  readonly setup: RequestSetup;
  readonly connected: readonly ConnectedFeature[];
  private readonly authenticating: readonly ConnectedFeature[];
  private readonly stops: (() => Promise<void>)[] = [];

  constructor(
    @Inject(RESOLVED_OPTIONS) options: ResolvedOptions,
    private readonly opened: OpenSessionStore,
    platform: HttpPlatform,
    adapterHost: HttpAdapterHost,
  ) {
    const { store, repository } = opened;
    const isSecure = platform.isSecure.bind(platform);
    const cookie = {
      ...options.cookie,
      isSecure,
      onInsecure: insecureCookieWarning(options.logger),
    };
    let setup: RequestSetup = {
      ...options,
      cacheControl: options.security ? options.security.cacheControl : 'no-store',
      loadSecurityContext: securityContextLoader(options),
      onSessionRead: lateReadListener(options),
      repository,
      visitorTimeouts: visitorTimeoutsOf(options),
      sessionIdResolver: options.sessionIdResolver ?? CookieSessionIdResolver.of(cookie),
    };
    this.connected = options.features.flatMap((feature) => {
      const part = feature.connect?.({ adapterHost, setup, isSecure, options, store });
      if (!part) return [];
      this.stops.push(() => stopInTime(`stop ${feature.name}`, part, options));
      setup = { ...setup, ...part.setup };
      return part;
    });
    this.authenticating = this.connected.filter((feature) => 'authenticate' in feature);
    this.setup = setup;
  }

  /** Starts the store and then the features. If one fails, all are stopped. @throws SessionStoreError, SessionOptionError */
  async onModuleInit(): Promise<void> {
    try {
      await this.opened.start();
      for (const feature of this.connected) await feature.start?.();
    } catch (error) {
      await this.onApplicationShutdown();
      await this.opened.onApplicationShutdown();
      throw error;
    }
  }

  /** Stops each feature once, as it may have opened something before its start. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.stops.splice(0).map((stop) => stop()));
  }

  attach(sessionRequest: SessionRequest): void {
    for (const feature of this.connected) feature.attach?.(sessionRequest);
  }

  /** Calls `next` once every feature has had the request. */
  authenticate(sessionRequest: SessionRequest, next: (error?: unknown) => void): void {
    if (this.authenticating.length === 0) return next();
    const goOn = (index: number, error?: unknown): void => {
      const feature = this.authenticating[index];
      if (error !== undefined || !feature) return next(error);
      feature.authenticate?.(sessionRequest, (failure) => goOn(index + 1, failure));
    };
    goOn(0);
  }
}

/**
 * Finds the session of a request and who its user is, and sees to it that the session is saved before the response
 * leaves. Guards and middleware of the application find `request.user` and the `SecurityContextHolder` filled. The first half
 * of `SessionRepositoryFilter` of Spring Session.
 */
@Injectable()
export class SessionRepositoryMiddleware implements NestMiddleware<
  IncomingMessage,
  ServerResponse
> {
  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    @Inject(REQUEST_SETUP) private readonly setup: RequestSetup,
    private readonly platform: HttpPlatform,
    private readonly features: SessionFeatures,
  ) {}

  use(request: Request, response: ServerResponse, next: Next): void | Promise<void> {
    // A WebSocket that is routed as a request outlives its session, and its messages would not notice.
    if (request.upgrade && request.method === 'GET') return next();
    const known = SessionRequest.of(request);
    // `app.use(redisSession(app))` came first. Parsers of the body may have lost its scope.
    if (known) return this.inScope(known, next);
    const sessionRequest = new SessionRequest(request, response, this.setup);
    // On Fastify, a hook does that.
    if (this.platform.isExpress)
      sessionRequest.failures.handler = (error) => {
        next(toHttpException(error));
      };
    CommittedResponse.attach(response, sessionRequest);
    this.features.attach(sessionRequest);
    if (this.options.load === 'lazy') return this.inScope(sessionRequest, next);
    const loading = sessionRequest.loadSecurityContext();
    const goOn = (context: SecurityContext): void => {
      showUser(request, context);
      this.inScope(sessionRequest, () => this.features.authenticate(sessionRequest, next));
    };
    if (!(loading instanceof Promise)) return goOn(loading);
    return loading.then(goOn, (error: unknown) => {
      throw toHttpException(error);
    });
  }

  private inScope(sessionRequest: SessionRequest, action: () => void): void {
    const { security } = this.options;
    if (security && security.contextHolder) runInScope(sessionRequest, action);
    else action();
  }
}

/** A middleware without Nest's matching of routes, which costs about as much as the middleware itself. */
export function toFunction(
  middleware: NestMiddleware<IncomingMessage, ServerResponse>,
): (request: IncomingMessage, response: ServerResponse, next: Next) => void {
  return (request, response, next) => {
    try {
      (middleware.use(request, response, next) as Promise<void> | undefined)?.catch(next);
    } catch (error) {
      next(error);
    }
  };
}

/** Guards leave it on the session request, because Nest passes only the request on to interceptors. */
type Replacement = (result: unknown) => unknown;

const replacements = foreignProperty<Replacement>('replacement of the result');

/** Replaces the handler's result with what `replacement` returns. */
export function replaceResult(sessionRequest: SessionRequest, replacement: Replacement): void {
  replacements.set(sessionRequest, replacement);
}

/**
 * Saves the session once the handler is done, so that a save that fails travels through Nest: to the interceptors around
 * this one, and to the exception filters, route-scoped ones included. It also answers a login with its redirect, and runs
 * handlers of messages in the security context of their sender. What Nest's pipeline does not see (denials of guards,
 * `@Res()`, streams, events of `@Sse()`, GraphQL) is saved before the first byte leaves.
 *
 * The second half of `SessionRepositoryFilter` of Spring Session.
 */
@Injectable()
export class SessionRepositoryInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (isMessage(context)) {
      const securityContext = messageContextOf(context);
      if (!securityContext) return next.handle();
      const step = beginMessageStep(securityContext);
      return step.run(() => next.handle()).pipe(finalize(step.end));
    }
    const isPlainRoute =
      context.getType() === 'http' && !Reflect.hasMetadata(SSE_METADATA, context.getHandler());
    const sessionRequest = isPlainRoute ? findSessionRequest(context) : undefined;
    if (!sessionRequest) return next.handle();
    return next.handle().pipe(
      mergeMap((result) => save(sessionRequest, result)),
      map((result) => replaced(sessionRequest, result)),
    );
  }
}

function replaced(sessionRequest: SessionRequest, result: unknown): unknown {
  const replacement = replacements.get(sessionRequest);
  return replacement ? replacement(result) : result;
}

/** Emits `result` once what the request has changed is saved: at once when there is nothing to save. */
function save(sessionRequest: SessionRequest, result: unknown): Observable<unknown> {
  if (!sessionRequest.needsCommit()) return of(result);
  const commit = sessionRequest.commit().catch((error: unknown) => {
    throw toHttpException(error);
  });
  return from(commit).pipe(map(() => result));
}
