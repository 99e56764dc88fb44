import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-local';

/** A user as the session keeps it. */
export interface User {
  username: string;
  authorities: string[];
}

/** Checks the name and the password of a login. */
@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  // Ask your database here, and compare hashes. Return the user, or null to refuse the login.
  validate(username: string, password: string): User | null {
    return username === 'kim' && password === 'kim' ? { username, authorities: ['USER'] } : null;
  }
}
