import { type DynamicModule, Module } from '@nestjs/common';
import { createSessionsController } from './sessions.controller.js';

/** What `SessionManagementModule.forRoot` takes. */
export interface SessionManagementOptions {
  /** Authority that is needed. @defaultValue 'ADMIN' */
  readonly authority?: string;
  /** Path of the routes. @defaultValue 'actuator/sessions' */
  readonly path?: string;
}

/**
 * Adds routes that find and end the sessions of any user, as Spring's actuator endpoint `sessions` does, for those who
 * have the authority. Import it beside `RedisSessionModule`; needs `repository: 'indexed'`.
 */
@Module({})
export class SessionManagementModule {
  static forRoot({
    authority = 'ADMIN',
    path = 'actuator/sessions',
  }: SessionManagementOptions = {}): DynamicModule {
    return {
      module: SessionManagementModule,
      controllers: [createSessionsController(path, authority)],
    };
  }
}
