import { Injectable, UnauthorizedException } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-local';
import { type User, UserService } from './user.service.js';

/** Checks `username` and `password` of a form or a JSON body. Plain passport: it knows nothing of sessions. */
@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  constructor(private readonly users: UserService) {
    super();
  }

  validate(username: string, password: string): User {
    const user = this.users.findByCredentials(username, password);
    if (!user) throw new UnauthorizedException();
    return user;
  }
}
