// An application in a process of its own with an event stream at /events and WebSockets. All that they tell is one greeting.
// node open-connections-app.mjs <express | fastify> <port> <drainSeconds> <deadlineSeconds>; needs the built library.
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { WebSocketServer } from 'ws';
import { drainOnShutdown } from '../../../libs/redis-session/dist/index.js';

class AppModule {}

const [platform, port, drainSeconds, deadlineSeconds] = process.argv.slice(2);
const adapter = platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
const app = await NestFactory.create({ module: AppModule }, adapter, { logger: ['warn'] });
adapter.get('/events', (_request, response) => {
  response.hijack?.();
  const raw = response.raw ?? response;
  raw.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: hello\n\n');
});
new WebSocketServer({ server: app.getHttpServer() }).on('connection', (socket) => {
  socket.send('hello');
});
drainOnShutdown(app, {
  drainSeconds: Number(drainSeconds),
  deadlineSeconds: Number(deadlineSeconds),
});
await app.listen(Number(port), '127.0.0.1');
