import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { type AppRequest } from './app-request.js';

@Injectable()
export class AuthenticatedGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToHttp().getRequest<AppRequest>().isAuthenticated();
  }
}
