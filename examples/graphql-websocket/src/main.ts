import 'reflect-metadata';
import { join } from 'node:path';
import { NestFactory } from '@nestjs/core';
import { type NestExpressApplication } from '@nestjs/platform-express';
import { WsAdapter } from '@nestjs/platform-ws';
import { AppModule } from './app.module.js';

const app = await NestFactory.create<NestExpressApplication>(AppModule);
app.enableCsrfProtection();
app.useStaticAssets(join(import.meta.dirname, '../public'));
app.useWebSocketAdapter(new WsAdapter(app));
// Only this machine can reach it: everybody knows kim's password.
await app.listen(process.env['PORT'] ?? 3000, '127.0.0.1');
