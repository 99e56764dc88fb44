import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-local';

/** What the application knows of a user. */
export interface TestUser {
  readonly username: string;
  readonly authorities: readonly string[];
}

/** Knows every user whose password is the user name; only `admin` has the authority `ADMIN`. */
@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  validate(username: string, password: string): TestUser | null {
    if (username !== password) return null;
    return { username, authorities: username === 'admin' ? ['USER', 'ADMIN'] : ['USER'] };
  }
}
