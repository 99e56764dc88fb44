import { Controller, Get, Injectable, Module, Post, UseGuards } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import {
  Authenticated,
  CurrentUser,
  LoginGuard,
  RedisSessionModule,
  RequireAuthorities,
} from 'nestjs-redis-session';
import { expressSession } from 'nestjs-redis-session/express-session';
import { Strategy } from 'passport-local';

interface User {
  name: string;
  authorities: string[];
}

@Injectable()
class LocalStrategy extends PassportStrategy(Strategy) {
  validate(username: string, password: string): User | null {
    if (username === 'kim' && password === 'kim') return { name: 'kim', authorities: ['USER'] };
    return null;
  }
}

@Controller()
class PagesController {
  @Post('login')
  @UseGuards(LoginGuard('local'))
  login(@CurrentUser() user: User): User {
    return user;
  }

  @Get('members')
  @Authenticated()
  members(@CurrentUser('name') name: string): string {
    return `Hello ${name}.`;
  }

  @Get('admin')
  @RequireAuthorities('ADMIN')
  admin(): string {
    return 'For admins only.';
  }
}

@Module({
  imports: [
    RedisSessionModule.forRoot({
      redis: process.env.REDIS_URL ?? 'redis://localhost:6379',
      features: [expressSession()],
    }),
  ],
  controllers: [PagesController],
  providers: [LocalStrategy],
})
export class AppModule {}
