/** What is answered in place of the handler. */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is; undefined = no body. */
  readonly body?: string;
}
