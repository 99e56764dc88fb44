import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import { type AppRequest } from './app-request.js';

/** Checks the password and logs in, as the recipe of Nest's documentation does. */
@Injectable()
export class LocalLoginGuard extends AuthGuard('local') {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    await super.canActivate(context);
    await super.logIn(context.switchToHttp().getRequest());
    return true;
  }
}

/** The same, for visitors whose cart shall survive the login. */
@Injectable()
export class KeepingLoginGuard extends AuthGuard('local') {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    await super.canActivate(context);
    const request = context.switchToHttp().getRequest<AppRequest>();
    await new Promise<void>((resolve, reject) => {
      request.logIn(request.user!, { keepSessionInfo: true }, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    return true;
  }
}
