/** What a store is given and gives back: attributes, and `cookie`. */
export type StoredBlob = Record<string, unknown>;

/** The documented contract of express-session's stores, such as MemoryStore and connect-redis. */
export interface ConnectStore {
  get(id: string, callback: (error?: unknown, session?: unknown) => void): void;
  set(id: string, session: never, callback?: (error?: unknown) => void): void;
  destroy(id: string, callback?: (error?: unknown) => void): void;
  touch?(id: string, session: never, callback?: (error?: unknown) => void): void;
}

type Call = (callback: (error?: unknown, value?: unknown) => void) => unknown;

/** Calls a method that calls back. @throws what it reports; ENOENT means that there is none */
export function called(call: Call): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (!error || isNotFound(error)) resolve(value);
      else reject(error instanceof Error ? error : new Error('the store gave no reason'));
    });
  });
}

function isNotFound(error: unknown): boolean {
  return typeof error === 'object' && (error as { code?: unknown }).code === 'ENOENT';
}
