import { HttpAdapterHost, type ModuleRef } from '@nestjs/core';
import { SessionOptionError } from '../session/session.errors.js';

/** The applications of this test process whose sessions are in memory. */
const modules = new Set<WeakRef<ModuleRef>>();

/** Remembers an application, so that its sessions are found by the server that supertest was given. */
export function rememberModule(module: ModuleRef): void {
  modules.add(new WeakRef(module));
}

/** @param server - what supertest was made with. @throws SessionOptionError when it is no server of such an application */
export function moduleBehind(server: unknown): ModuleRef {
  for (const reference of modules) {
    const module = reference.deref();
    if (!module) modules.delete(reference);
    else if (serverOf(module) === server) return module;
  }
  throw new SessionOptionError(
    'Cannot find the sessions of the application: supertest must be given its server, and its module must use withMemorySessions() or RedisSessionTestingModule. Use supertest.agent(app.getHttpServer()) after app.init().',
  );
}

function serverOf(module: ModuleRef): unknown {
  const host: Partial<HttpAdapterHost> = module.get(HttpAdapterHost, { strict: false });
  return host.httpAdapter?.getHttpServer() as unknown;
}
