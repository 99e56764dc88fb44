import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { stopInTime } from '../lib/deadline.js';
import { type SessionRequest } from '../http/request/session-request.js';
import { type RequestSetup, type VisitorTimeouts } from '../http/request/request-setup.js';
import { CookieSerializer, insecureCookieWarning } from '../http/session-id/cookie-serializer.js';
import { CookieSessionIdResolver } from '../http/session-id/session-id-resolver.js';
import { lateReadListener, securityContextLoader } from './access/security-context-loader.js';
import { type ResolvedOptions, type ConnectedFeature } from './options/redis-session.options.js';
import { HttpPlatform } from './http-platform.js';
import { RESOLVED_OPTIONS } from './redis-session.module-definition.js';
import { OpenSessionStore } from './session-store.providers.js';

/** The features of the application, and what its requests share once every feature has had its say. */
@Injectable()
export class SessionFeatures implements OnModuleInit, OnApplicationShutdown {
  readonly setup: RequestSetup;
  readonly connected: readonly ConnectedFeature[];
  private readonly names = new Map<ConnectedFeature, string>();
  private isStopped = false;

  constructor(
    @Inject(RESOLVED_OPTIONS) private readonly options: ResolvedOptions,
    { store, repository }: OpenSessionStore,
    platform: HttpPlatform,
    adapterHost: HttpAdapterHost,
  ) {
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
      sessionIdResolver:
        options.sessionIdResolver ??
        new CookieSessionIdResolver(new CookieSerializer(cookie), cookie),
    };
    this.connected = options.features.flatMap((feature) => {
      const part = feature.connect?.({ adapterHost, setup, isSecure, options, store });
      if (part) this.names.set(part, feature.name);
      if (part?.setup) setup = { ...setup, ...part.setup };
      return part ?? [];
    });
    this.setup = setup;
  }

  async onModuleInit(): Promise<void> {
    try {
      for (const feature of this.connected) await feature.start?.();
    } catch (error) {
      await this.onApplicationShutdown();
      throw error;
    }
  }

  /** Stops each feature once, as it may have opened something before its start. */
  async onApplicationShutdown(): Promise<void> {
    if (this.isStopped) return;
    this.isStopped = true;
    const stop = (feature: ConnectedFeature) =>
      stopInTime(`stop ${this.names.get(feature)}`, feature, this.options);
    await Promise.all(this.connected.map(stop));
  }

  attach(sessionRequest: SessionRequest): void {
    for (const feature of this.connected) feature.attach?.(sessionRequest);
  }

  /** Calls `next` once every feature has had the request. */
  authenticate(sessionRequest: SessionRequest, next: (error?: unknown) => void): void {
    const authenticating = this.connected.filter((feature) => 'authenticate' in feature);
    const goOn = (index: number, error?: unknown): void => {
      const feature = authenticating[index];
      if (error !== undefined || !feature) return next(error);
      feature.authenticate?.(sessionRequest, (failure) => goOn(index + 1, failure));
    };
    goOn(0);
  }
}

function visitorTimeoutsOf({
  maxInactiveIntervalSeconds,
  security,
}: ResolvedOptions): VisitorTimeouts | undefined {
  if (!security) return undefined;
  const { anonymousMaxInactiveIntervalSeconds, savedRequestSeconds } = security;
  return {
    maxInactiveIntervalSeconds: anonymousMaxInactiveIntervalSeconds ?? maxInactiveIntervalSeconds,
    savedRequestSeconds,
  };
}
