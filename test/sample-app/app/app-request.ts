/** What this application keeps of a visitor. */
export interface AppSession {
  readonly id?: string;
  readonly cookie: { maxAge?: number | null };
  cart?: { items: string[] };
  messages?: string[];
  views?: number;
  regenerate(callback: (error?: Error) => void): void;
  destroy(callback: (error?: Error) => void): void;
  save(callback: (error?: Error) => void): void;
}

/** A user as the strategy gives it. */
export interface AppUser {
  readonly id: number;
  readonly name: string;
}

/** A request of Express or Fastify with a session and with passport. */
export interface AppRequest {
  readonly session: AppSession;
  readonly user?: AppUser;
  isAuthenticated(): boolean;
  logIn(user: AppUser, options: object, callback: (error?: Error) => void): void;
  logout(callback: (error?: Error) => void): void;
}
