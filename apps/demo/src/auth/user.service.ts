import { Injectable } from '@nestjs/common';
import { hashPassword, isPasswordOf } from './password.js';

/** A user as the session stores it: `name` and `authorities` are what the library looks for. */
export interface User {
  name: string;
  authorities: string[];
}

/** Compared for an unknown name, so that the time of an answer does not tell which names exist. */
const NOBODY = { user: undefined, passwordHash: hashPassword('') };

/** The two users of the demo. A real application asks its database. */
@Injectable()
export class UserService {
  private readonly accounts = new Map([
    ['kim', account('kim', ['USER'])],
    ['admin', account('admin', ['USER', 'ADMIN'])],
  ]);

  /** @returns undefined when the name is unknown or the password is wrong */
  findByCredentials(name: string, password: string): User | undefined {
    const { user, passwordHash } = this.accounts.get(name) ?? NOBODY;
    return isPasswordOf(passwordHash, password) ? user : undefined;
  }
}

/** In this demo everybody's password is his name. */
function account(name: string, authorities: string[]): { user: User; passwordHash: string } {
  return { user: { name, authorities }, passwordHash: hashPassword(name) };
}
