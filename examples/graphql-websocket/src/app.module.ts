import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo';
import { Module } from '@nestjs/common';
import { GraphQLModule } from '@nestjs/graphql';
import { RedisSessionModule } from 'nestjs-redis-session';
import { ChatGateway } from './chat.gateway.js';
import { LocalStrategy } from './local.strategy.js';
import { LoginController } from './login.controller.js';
import { NotesResolver } from './notes.resolver.js';

@Module({
  imports: [
    RedisSessionModule.forRoot({
      redis: process.env['REDIS_URL'] ?? 'redis://localhost:6379',
      // Needed by `closeWithSession`: a replica hears when another one ends a session.
      repository: 'indexed',
      webSockets: { closeWithSession: true },
      security: { logout: {} },
    }),
    GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true }),
  ],
  controllers: [LoginController],
  providers: [ChatGateway, LocalStrategy, NotesResolver],
})
export class AppModule {}
