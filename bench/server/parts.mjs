import { AsyncLocalStorage } from 'node:async_hooks';
import { Module } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { concatMap, of } from 'rxjs';
import { bare } from './bare.mjs';

const scopes = new AsyncLocalStorage();

/** What can be priced on either platform; hooks are Fastify's alone. */
export const PART_NAMES = {
  express: ['middleware', 'guard', 'reply', 'interceptor', 'interceptor-concat'],
  fastify: ['middleware', 'hook', 'scope', 'guard', 'reply', 'interceptor', 'interceptor-concat'],
};

/** Things of Nest and Node that a session library hangs on, each doing nothing: what they cost by themselves. */
const PARTS = {
  middleware: () => ({ middleware: (_request, _response, next) => next() }),
  hook: () => ({
    prepare: (app) =>
      app
        .getHttpAdapter()
        .getInstance()
        .addHook('onRequest', (_request, _reply, done) => done()),
  }),
  scope: () => ({
    prepare: (app) =>
      app
        .getHttpAdapter()
        .getInstance()
        .addHook('preValidation', (_request, _reply, done) => scopes.run({}, done)),
  }),
  reply: () => ({
    prepare: (app) => {
      const adapter = app.getHttpAdapter();
      const reply = adapter.reply.bind(adapter);
      const known = new WeakMap();
      adapter.reply = (response, body, status) =>
        known.has((response.raw ?? response).req) ? undefined : reply(response, body, status);
    },
  }),
  guard: () => ({ provider: { provide: APP_GUARD, useValue: { canActivate: () => true } } }),
  interceptor: () => ({
    provider: {
      provide: APP_INTERCEPTOR,
      useValue: { intercept: (_context, next) => next.handle() },
    },
  }),
  'interceptor-concat': () => ({
    provider: {
      provide: APP_INTERCEPTOR,
      useValue: {
        intercept: (_context, next) => next.handle().pipe(concatMap((result) => of(result))),
      },
    },
  }),
};

/**
 * Bare Nest with one of the parts.
 *
 * @returns {import('./contestant.mjs').Contestant}
 */
export function parts({ options }) {
  const { middleware, provider, prepare } = PARTS[options.part]();
  class PartModule {
    configure(consumer) {
      if (middleware) consumer.apply(middleware).forRoutes('{*path}');
    }
  }
  Module({ providers: provider ? [provider] : [] })(PartModule);
  return { ...bare(), imports: [PartModule], ...(prepare && { prepare }) };
}
