import { Module } from '@nestjs/common';
import { HomeController } from './home.controller.js';
import { PagesController } from './pages.controller.js';
import { ViewService } from './view.service.js';

@Module({ controllers: [HomeController, PagesController], providers: [ViewService] })
export class PagesModule {}
