import 'reflect-metadata';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';

const app = await NestFactory.create<NestExpressApplication>(AppModule);
// The built pages. While you develop, Vite serves them and sends `/api` here.
app.useStaticAssets(join(import.meta.dirname, 'client'));
// Only this machine can reach it: everybody knows kim's password.
await app.listen(process.env['PORT'] ?? 3000, '127.0.0.1');
