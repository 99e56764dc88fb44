import { type ModuleRef } from '@nestjs/core';
import { moduleOfServer } from './server-modules.js';
import { SessionOptionError } from '../session/session.errors.js';

/** @param server - what supertest was made with. @throws SessionOptionError when it is no server of such an application */
export function moduleBehind(server: unknown): ModuleRef {
  const module = typeof server === 'object' && server ? moduleOfServer(server) : undefined;
  if (module) return module;
  throw new SessionOptionError(
    'Cannot find the sessions of the application: supertest must be given its server. Use supertest.agent(app.getHttpServer()) after app.init().',
  );
}
