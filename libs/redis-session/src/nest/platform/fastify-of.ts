import { type HttpAdapterHost } from '@nestjs/core';

/**
 * Fastify, if the application runs on it.
 *
 * @returns undefined on Express, and before `createNestApplication` of a testing module: ask again in `onModuleInit`
 */
export function fastifyOf<Fastify>(adapterHost: HttpAdapterHost): Fastify | undefined {
  const adapter = adapterHost.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
  return adapter?.getType() === 'fastify' ? adapter.getInstance<Fastify>() : undefined;
}
