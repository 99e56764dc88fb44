/** What a store is given and gives back: attributes, and `cookie`. */
export type StoredBlob = Record<string, unknown>;

/** The documented contract of express-session's stores, such as MemoryStore and connect-redis. */
export interface ConnectStore {
  get(id: string, callback: (error?: unknown, session?: unknown) => void): void;
  set(id: string, session: never, callback?: (error?: unknown) => void): void;
  destroy(id: string, callback?: (error?: unknown) => void): void;
  touch?(id: string, session: never, callback?: (error?: unknown) => void): void;
  /** Starts a session on a request; `session()` sets it, for the `regenerate` of express-session's Store. */
  generate?(request: never): void;
  /** 'disconnect': requests go on without a session until 'connect'. */
  on?(event: 'connect' | 'disconnect', listener: () => void): unknown;
}

type Call = (callback: (error?: unknown, value?: unknown) => void) => unknown;

/** Calls a method that calls back. @throws what it reports */
export function called(call: Call): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (error) reject(error instanceof Error ? error : new Error('the store gave no reason'));
      else resolve(value);
    });
  });
}

/** @returns undefined when there is none, which some stores report as ENOENT. @throws what the store reports */
export async function findBlob(store: ConnectStore, id: string): Promise<StoredBlob | undefined> {
  try {
    const blob = await called((done) => store.get(id, done));
    return typeof blob === 'object' && blob !== null ? (blob as StoredBlob) : undefined;
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return undefined;
    throw error;
  }
}
