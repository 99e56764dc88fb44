import { type AppUser } from './app-request.js';

const USERS: readonly AppUser[] = [
  { id: 0, name: 'root' },
  { id: 1, name: 'kim' },
];

/** @returns undefined for a wrong password; everybody's password is his name */
export function findByCredentials(name: string, password: string): AppUser | undefined {
  return name === password ? USERS.find((user) => user.name === name) : undefined;
}

export function findById(id: number): AppUser | undefined {
  return USERS.find((user) => user.id === id);
}
