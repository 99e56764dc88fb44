/** The part of Fastify that is needed here. */
export interface DecoratableFastify {
  hasReplyDecorator(name: string): boolean;
  decorateReply(name: string, value: unknown): void;
}

interface Reply {
  header(name: string, value: unknown): Reply;
  send(payload?: unknown): Reply;
}

/**
 * Gives replies of Fastify what passport calls on a response of node:http: `setHeader` and `end`. Without them a strategy
 * that redirects, such as those of OAuth, ends in a 500.
 *
 * `end` sends through Fastify, so that hooks run and headers that are set on the reply leave with it. What another plugin
 * has decorated stays.
 */
export function decorateReplyForPassport(fastify: DecoratableFastify): void {
  const methods = { setHeader, end };
  for (const [name, method] of Object.entries(methods)) {
    if (!fastify.hasReplyDecorator(name)) fastify.decorateReply(name, method);
  }
}

function setHeader(this: Reply, name: string, value: unknown): Reply {
  return this.header(name, value);
}

function end(this: Reply, body?: unknown): Reply {
  return this.send(body);
}
