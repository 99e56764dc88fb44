import { Injectable, UnauthorizedException } from '@nestjs/common';

/** What an application writes around a session library that knows no users: 401 unless the session has one. */
export class SessionGuard {
  canActivate(context) {
    const request = context.switchToHttp().getRequest();
    if (!request.session.user) throw new UnauthorizedException();
    request.user = request.session.user;
    return true;
  }
}

Injectable()(SessionGuard);
