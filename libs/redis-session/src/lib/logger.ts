/** Where the library reports what no caller can be told. Messages hold no session id, cookie or attribute value. */
export interface SessionLogger {
  warn(message: string): void;
  error(message: string): void;
}
