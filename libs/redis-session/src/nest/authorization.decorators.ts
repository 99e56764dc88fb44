import { applyDecorators, SetMetadata } from '@nestjs/common';

/** What a route asks of the user. `undefined` as rule = anybody may come. */
export interface AccessRule {
  readonly isPublic: boolean;
  /** All of these. */
  readonly authorities: readonly string[];
}

/** Metadata of a handler or a class: `AccessRule`. That of the handler counts before that of its class. */
export const ACCESS_RULE = 'redis-session:access-rule';

/** Only logged-in users may come: others get 401, or are sent to the login page. On a class or a handler. */
export const Authenticated = (): ClassDecorator & MethodDecorator =>
  rule({ isPublic: false, authorities: [] });

/** Only users who have all of `authorities` may come: others get 403. On a class or a handler. */
export const RequireAuthorities = (...authorities: string[]): ClassDecorator & MethodDecorator =>
  rule({ isPublic: false, authorities });

/** Anybody may come, whatever the class or `authorization: 'all'` says. On a class or a handler. */
export const Public = (): ClassDecorator & MethodDecorator =>
  rule({ isPublic: true, authorities: [] });

function rule(accessRule: AccessRule): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(ACCESS_RULE, accessRule));
}
