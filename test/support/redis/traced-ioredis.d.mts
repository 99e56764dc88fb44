/** What OpenTelemetry sees of the commands of all clients. */
export interface TracedIoredis {
  /** Those that have ended since the last call. */
  takeSpans(): object[];
  stop(): void;
}

/** @param ioredis - the module with all its exports */
export function traceIoredis(ioredis: object): TracedIoredis;
