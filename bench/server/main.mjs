// Runs one contestant: started by fork, with a Setup as JSON in its only argument. Says `{ port }` when it listens;
// answers each message with what it has used since it started.
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { createContestant } from './contestant.mjs';

const setup = JSON.parse(process.argv[2] ?? '');
const { controllers, imports = [], prepare } = await createContestant(setup);

class AppModule {}
Module({ controllers, imports })(AppModule);

const adapter = setup.platform === 'fastify' ? new FastifyAdapter() : new ExpressAdapter();
const app = await NestFactory.create(AppModule, adapter, { logger: ['error'] });
await prepare?.(app);
await app.listen(0, '127.0.0.1');

process.on('message', () => {
  // With --expose-gc the heap is what is really in use.
  globalThis.gc?.();
  const { user, system } = process.cpuUsage();
  process.send({ cpuUs: user + system, heapBytes: process.memoryUsage().heapUsed });
});
process.on('disconnect', () => process.exit());
process.send({ port: app.getHttpServer().address().port });
