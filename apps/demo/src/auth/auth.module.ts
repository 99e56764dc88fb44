import { Module } from '@nestjs/common';
import { AuthController } from './auth.controller.js';
import { LocalStrategy } from './local.strategy.js';
import { UserService } from './user.service.js';

@Module({ controllers: [AuthController], providers: [LocalStrategy, UserService] })
export class AuthModule {}
