/** What this application keeps of a visitor. */
export interface AppSession {
  readonly id?: string;
  readonly cookie: { maxAge?: number | null };
  cart?: { items: string[] };
  messages?: string[];
  views?: number;
  regenerate(callback: (error?: unknown) => void): void;
  destroy(callback: (error?: unknown) => void): void;
  save(callback: (error?: unknown) => void): void;
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
  logIn(user: AppUser, options: object, callback: (error?: unknown) => void): void;
  logout(callback: (error?: unknown) => void): void;
}
