import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { type INestApplication, Logger } from '@nestjs/common';
import { SessionOptionError } from '../session/session.errors.js';

const EXIT_AFTER_DEADLINE_MS = 1_000;

const logger = new Logger('drainOnShutdown');

/**
 * Stops the process at SIGTERM without a failed request. Call it before `app.listen()` and instead of
 * `enableShutdownHooks()`, which would close the server at once.
 *
 * From the signal on, `readinessPath` is answered with 503. After `drainSeconds`, the application closes once requests in
 * flight have ended. At `deadlineSeconds`, connections that are still open are cut. SIGINT (Ctrl-C) ends the drain at once.
 *
 * @param options - `drainSeconds` (default 5) must be longer than a proxy keeps idle connections to this process;
 *   `deadlineSeconds` (default 25) must be longer than `drainSeconds` and shorter than the grace period of the platform;
 *   `readinessPath` (default `/readyz`) must be the path of the readiness check
 * @throws SessionOptionError for a deadline that is not later than the end of the drain
 */
export function drainOnShutdown(
  app: INestApplication,
  { drainSeconds = 5, deadlineSeconds = 25, readinessPath = '/readyz' } = {},
): void {
  if (!(drainSeconds >= 0 && deadlineSeconds > drainSeconds))
    throw new SessionOptionError(
      `Cannot drain for ${drainSeconds} s with a deadline of ${deadlineSeconds} s: \`drainSeconds\` must be at least 0, \`deadlineSeconds\` must be greater.`,
    );
  const connections = watchConnections(app.getHttpServer() as Server);
  const ending = new AbortController();
  let isStopping = false;
  app.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    if (isStopping && request.url?.split('?')[0] === readinessPath) refuse(response);
    else next();
  });
  const stop = (): void => {
    if (isStopping) return;
    isStopping = true;
    connections.closeAfterNextAnswer();
    enforce(deadlineSeconds, connections.cut);
    void closeAfter(app, drainSeconds, ending.signal);
  };
  // They stay: npm passes Ctrl-C on once more, and the second one must not kill what the first one has begun to stop.
  process.on('SIGTERM', stop);
  process.on('SIGINT', () => {
    ending.abort();
    stop();
  });
}

async function closeAfter(
  app: INestApplication,
  drainSeconds: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    await delay(drainSeconds * 1_000, undefined, { signal }).catch(() => undefined);
    await app.close();
    process.exit(0);
  } catch (error) {
    logger.error('Cannot close the application: see the error.', error);
    process.exit(1);
  }
}

function enforce(deadlineSeconds: number, cut: () => number): void {
  setTimeout(() => {
    logger.warn(
      `${cut()} connections were still open ${deadlineSeconds} s after the signal; they are cut.`,
    );
    setTimeout(() => process.exit(1), EXIT_AFTER_DEADLINE_MS);
  }, deadlineSeconds * 1_000);
}

function refuse(response: ServerResponse): void {
  const headers = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' };
  response.writeHead(503, headers).end('{"status":"stopping"}');
}

function watchConnections(server: Server) {
  const sockets = new Set<Socket>();
  const unanswered = new Set<ServerResponse>();
  let isClosing = false;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.prependListener('request', (_request, response) => {
    // Not the header: this one still works for a response whose head waits for the commit.
    response.shouldKeepAlive &&= !isClosing;
    unanswered.add(response);
    response.once('close', () => unanswered.delete(response));
  });
  return {
    closeAfterNextAnswer: () => {
      isClosing = true;
      for (const response of unanswered) response.shouldKeepAlive = false;
    },
    /** @returns how many there were */
    cut: () => {
      const count = sockets.size;
      for (const socket of sockets) socket.destroy();
      return count;
    },
  };
}
