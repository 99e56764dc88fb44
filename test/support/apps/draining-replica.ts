import { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type INestApplication } from '@nestjs/common';

/**
 * Has an application name its replica in `X-Pod`, and be taken out of service as behind a load balancer: no new connections,
 * and those there are end with their next answer. Call it before the application listens.
 *
 * @returns resolves when nobody is connected any more
 */
export function drainable(app: INestApplication, pod: string): () => Promise<void> {
  let isDraining = false;
  app.use((_request: IncomingMessage, response: ServerResponse, next: () => void) => {
    response.setHeader('X-Pod', pod);
    if (isDraining) response.setHeader('Connection', 'close');
    next();
  });
  return async () => {
    isDraining = true;
    const server = app.getHttpServer() as Server;
    await new Promise((resolve) => server.close(resolve));
  };
}
