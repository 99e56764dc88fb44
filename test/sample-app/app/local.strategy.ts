import { Injectable, UnauthorizedException } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-local';
import { type AppUser } from './app-request.js';
import { findByCredentials } from './users.js';

@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  validate(username: string, password: string): AppUser {
    const user = findByCredentials(username, password);
    if (!user) throw new UnauthorizedException();
    return user;
  }
}
