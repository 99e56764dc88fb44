import { Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { HomeController } from './home.controller.js';
import { MySessionsController } from '../sessions/my-sessions.controller.js';
import { NotFoundFilter } from './not-found.filter.js';
import { PagesController } from './pages.controller.js';
import { ViewService } from './view.service.js';

@Module({
  controllers: [HomeController, MySessionsController, PagesController],
  providers: [ViewService, { provide: APP_FILTER, useClass: NotFoundFilter }],
})
export class PagesModule {}
