import { type SecurityEvent } from './security-events.js';

/** Fields of any event, in the order of the line; others never get into the log. */
const FIELDS = ['name', 'kind', 'strategy', 'reason', 'target', 'previousSessionRef', 'sessionRef'];

/**
 * One line for the audit log, such as
 * `2026-01-01T00:00:00.000Z authentication-success name="kim" kind="full" strategy="local" sessionRef="5df6e0e2"`.
 *
 * Values are quoted as JSON: a user name cannot begin a line of its own (log injection, CWE-117).
 */
export function toAuditLine(event: SecurityEvent): string {
  const values = new Map<string, unknown>(Object.entries(event));
  const fields = FIELDS.filter((name) => values.get(name) !== undefined).map(
    (name) => ` ${name}=${quoted(String(values.get(name)))}`,
  );
  return `${new Date(event.timeMs).toISOString()} ${event.type}${fields.join('')}`;
}

function quoted(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}
