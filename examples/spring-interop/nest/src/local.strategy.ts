import { Injectable, UnauthorizedException } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-local';

/** A user as both sides know it. */
export interface User {
  readonly username: string;
  readonly authorities: readonly string[];
  /** Of users who have an `Account` at Spring. */
  readonly department?: string;
}

const USERS: readonly User[] = [
  { username: 'alice', authorities: ['USER', 'ADMIN'] },
  { username: 'bob', authorities: ['USER'] },
  { username: 'kim@example.com', authorities: ['USER'], department: 'sales' },
];

/** In this example everybody's password is his name. */
@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  validate(username: string, password: string): User {
    const user = USERS.find((each) => each.username === username);
    if (!user || password !== username) throw new UnauthorizedException();
    return user;
  }
}
