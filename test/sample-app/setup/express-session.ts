import { NestFactory } from '@nestjs/core';
import session from 'express-session';
import passport from 'passport';
import { type RunningApp } from '../app/app.contract.js';
import { AppModule } from '../app/app.module.js';

/** The application with express-session and its MemoryStore. */
export async function startOnExpressSession(): Promise<RunningApp> {
  const app = await NestFactory.create(AppModule);
  app.use(
    session({ secret: 'a secret of the sample app', resave: false, saveUninitialized: false }),
  );
  app.use(passport.session());
  await app.listen(0, '127.0.0.1');
  return { url: await app.getUrl(), close: () => app.close() };
}
