import { type ApplicationConfig, type ModulesContainer } from '@nestjs/core';

/**
 * Learns which microservices of a hybrid application run its global guards: those connected with `inheritAppConfig: true`.
 * Nest does not tell. It announces each microservice and reads the global guards for its handlers in the same turn of the event
 * loop, but reads those of the application only for a microservice that inherits them. So this observes the reads.
 *
 * @returns a function that says whether microservices are connected, and all of them inherit the guards
 */
export function watchMicroservices(
  modules: ModulesContainer,
  config: ApplicationConfig,
): () => boolean {
  // The first versions of Nest 11 do not announce microservices.
  if (!('getRpcTargetRegistry' in modules)) return () => false;
  const inherits = new Map<object, boolean>();
  let connecting: object | undefined;
  modules.getRpcTargetRegistry<object>().subscribe((target) => {
    inherits.set(target, false);
    connecting = target;
    queueMicrotask(() => (connecting = undefined));
  });
  const readGuards = config.getGlobalGuards.bind(config);
  config.getGlobalGuards = () => {
    if (connecting) inherits.set(connecting, true);
    return readGuards();
  };
  return () => inherits.size > 0 && [...inherits.values()].every(Boolean);
}
