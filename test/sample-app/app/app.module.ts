import { Module } from '@nestjs/common';
import { PassportModule } from '@nestjs/passport';
import { AuthController } from './auth.controller.js';
import { LocalStrategy } from './local.strategy.js';
import { ShopController } from './shop.controller.js';
import { UserSerializer } from './user.serializer.js';

/** An application written for express-session and passport. It imports no session library. */
@Module({
  imports: [PassportModule.register({ session: true })],
  controllers: [AuthController, ShopController],
  providers: [LocalStrategy, UserSerializer],
})
export class AppModule {}
