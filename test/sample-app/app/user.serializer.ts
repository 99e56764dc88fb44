import { Injectable } from '@nestjs/common';
import { PassportSerializer } from '@nestjs/passport';
import { type AppUser } from './app-request.js';
import { findById } from './users.js';

type Done<T> = (error: unknown, value?: T | false) => void;

@Injectable()
export class UserSerializer extends PassportSerializer {
  serializeUser(user: AppUser, done: Done<number>): void {
    done(null, user.id);
  }

  deserializeUser(id: number, done: Done<AppUser>): void {
    done(null, findById(id) ?? false);
  }
}
