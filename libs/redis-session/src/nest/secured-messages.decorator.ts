import { applyDecorators, UseFilters, UseGuards, UseInterceptors } from '@nestjs/common';
import { ExceptionTranslationFilter } from './exception-translation.filter.js';
import { SessionAuthenticationGuard } from './session-authentication.guard.js';
import { MessageContextInterceptor } from './message-context.interceptor.js';

/**
 * Makes a WebSocket gateway, or a controller of microservice messages, know its users: `@Authenticated()` and its
 * siblings, `@CurrentUser()` and the `SecurityContextHolder` work there as they do in HTTP routes.
 *
 * Needed because Nest does not apply the global filters of an HTTP application to gateways, nor any global enhancer to
 * the microservices of a hybrid one.
 */
export const SecuredMessages = (): ClassDecorator & MethodDecorator =>
  applyDecorators(
    UseGuards(SessionAuthenticationGuard),
    UseInterceptors(MessageContextInterceptor),
    UseFilters(ExceptionTranslationFilter),
  );
