import { type ModuleRef } from '@nestjs/core';

const modules = new WeakMap<object, ModuleRef>();

/** Remembers which application a server of node:http belongs to, for the testing kit. */
export function rememberModule(server: object, module: ModuleRef): void {
  modules.set(server, module);
}

/** @returns undefined when it is the server of no application with sessions */
export function moduleOfServer(server: object): ModuleRef | undefined {
  return modules.get(server);
}
