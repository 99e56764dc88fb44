import { Module } from '@nestjs/common';
import { HomeController } from './home.controller.js';
import { MySessionsController } from '../sessions/my-sessions.controller.js';
import { PagesController } from './pages.controller.js';
import { ViewService } from './view.service.js';

@Module({
  controllers: [HomeController, MySessionsController, PagesController],
  providers: [ViewService],
})
export class PagesModule {}
