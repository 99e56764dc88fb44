import { STATUS_CODES } from 'node:http';

/** What is answered in place of the handler. */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is; undefined = no body. */
  readonly body?: string;
}

/** What a client is told of a failure. */
export interface ProblemDetails {
  readonly status: number;
  /** A sentence for people; holds nothing of an error's own message. */
  readonly detail: string;
  /** For programs: which of the causes of that status. */
  readonly reason?: string | undefined;
}

/** An answer of which every part is there. */
export type ProblemAnswer = Required<HttpAnswer>;

/** Makes an answer of media type `application/problem+json`, RFC 9457. */
export function problemAnswer({ status, detail, reason }: ProblemDetails): ProblemAnswer {
  const title = STATUS_CODES[status] ?? 'Error';
  return {
    statusCode: status,
    headers: { 'Cache-Control': 'no-store', 'Content-Type': 'application/problem+json' },
    body: JSON.stringify({ type: 'about:blank', title, status, detail, reason }),
  };
}
