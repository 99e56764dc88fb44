import 'nestjs-redis-session';

/** One page view of a logged-in user. */
export interface Visit {
  /** Name of the replica that answered. */
  pod: string;
  /** ISO 8601. */
  at: string;
}

declare module 'nestjs-redis-session' {
  /** What this application keeps in a session: names and types are checked everywhere. */
  interface SessionAttributes {
    cart: string[];
    answeredBy: Visit[];
  }
}
