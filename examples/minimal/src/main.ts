import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module.js';

const app = await NestFactory.create(AppModule);
// Refuses forms that other sites send here.
app.enableCsrfProtection();
// Only this machine can reach it: everybody knows kim's password.
await app.listen(process.env['PORT'] ?? 3000, '127.0.0.1');
