/** What a store is given and gives back: attributes, and `cookie`. */
export type StoredBlob = Record<string, unknown>;

/** The documented contract of express-session's stores, such as MemoryStore and connect-redis. */
export interface ConnectStore {
  get(id: string, callback: (error?: Error | null, session?: unknown) => void): void;
  set(id: string, session: never, callback?: (error?: Error | null) => void): void;
  destroy(id: string, callback?: (error?: Error | null) => void): void;
  touch?(id: string, session: never, callback?: (error?: Error | null) => void): void;
}

type Call = (callback: (error?: Error | null, value?: unknown) => void) => void;

/** Calls a method that calls back. @throws what it reports; ENOENT means that there is none */
export function called(call: Call): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call((error, value) => {
      if (!error || ('code' in error && error.code === 'ENOENT')) resolve(value);
      else reject(error);
    });
  });
}
