/**
 * Makes the files of a login with name and password.
 *
 * @param suffix - of imported files: `.js` in ES modules, else nothing
 * @returns texts by file name
 */
export function loginFiles(suffix: string): Record<string, string> {
  return {
    'auth.module.ts': authModule(suffix),
    'auth.controller.ts': authController(suffix),
    'local.strategy.ts': localStrategy(suffix),
    'user.service.ts': USER_SERVICE,
  };
}

/** Makes the test of {@link loginFiles}, for Jest and for Vitest with `globals: true`. */
export function loginTest(suffix: string, platform: 'express' | 'fastify'): Record<string, string> {
  const code = authSpec(suffix);
  return { 'auth.spec.ts': platform === 'express' ? code : onFastify(code) };
}

function onFastify(code: string): string {
  return code
    .replace("import { type INestApplication } from '@nestjs/common';\n", '')
    .replace(
      /(?=import \{ Test \})/,
      `import {\n  FastifyAdapter,\n  type NestFastifyApplication,\n} from '@nestjs/platform-fastify';\n`,
    )
    .replace('let app: INestApplication;', 'let app: NestFastifyApplication;')
    .replace(
      '    app = (await withMemorySessions(builder).compile()).createNestApplication();\n',
      '    const module = await withMemorySessions(builder).compile();\n' +
        '    app = module.createNestApplication<NestFastifyApplication>(\n      new FastifyAdapter(),\n    );\n',
    )
    .replace(
      '    await app.init();\n',
      '    await app.init();\n    await app.getHttpAdapter().getInstance().ready();\n',
    );
}

const authModule = (suffix: string): string => `import { Module } from '@nestjs/common';
import { AuthController } from './auth.controller${suffix}';
import { LocalStrategy } from './local.strategy${suffix}';
import { UserService } from './user.service${suffix}';

@Module({
  controllers: [AuthController],
  providers: [LocalStrategy, UserService],
})
export class AuthModule {}
`;

const authController = (suffix: string): string => `import {
  Controller,
  Get,
  Header,
  Post,
  Query,
  UseGuards,
} from '@nestjs/common';
import { Authenticated, CurrentUser, LoginGuard } from 'nestjs-redis-session';
import { type User } from './user.service${suffix}';

const HTML = 'text/html; charset=utf-8';

@Controller()
export class AuthController {
  @Get('login')
  @Header('Content-Type', HTML)
  loginPage(@Query('reason') reason?: string): string {
    const message =
      reason === 'bad-credentials' ? 'Wrong name or password.' : '';
    return \`<!doctype html><title>Log in</title><p>\${message}</p><form method="post">
      <input name="username" placeholder="Name"> <input name="password" type="password">
      <button>Log in</button></form>\`;
  }

  // A form continues to the page that the browser asked for. Other clients get the user.
  @Post('login')
  @UseGuards(LoginGuard('local'))
  login(@CurrentUser() user: User): User {
    return user;
  }

  @Get('members')
  @Authenticated()
  @Header('Content-Type', HTML)
  members(@CurrentUser('username') name: string): string {
    return \`Hello \${name}. <form method="post" action="/logout"><button>Log out</button></form>\`;
  }
}
`;

const localStrategy = (suffix: string): string => `import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-local';
import { type User, UserService } from './user.service${suffix}';

@Injectable()
export class LocalStrategy extends PassportStrategy(Strategy) {
  constructor(private readonly users: UserService) {
    super();
  }

  validate(username: string, password: string): Promise<User | null> {
    return this.users.findByCredentials(username, password);
  }
}
`;

const USER_SERVICE = `import { Injectable } from '@nestjs/common';

/** A user as the session keeps it. */
export interface User {
  username: string;
  authorities: string[];
}

@Injectable()
export class UserService {
  /** Ask your database here, and compare hashes. Return null to refuse the login. */
  findByCredentials(username: string, password: string): Promise<User | null> {
    const isKim = username === 'kim' && password === 'kim';
    return Promise.resolve(isKim ? { username, authorities: ['USER'] } : null);
  }
}
`;

const authSpec = (
  suffix: string,
): string => `import { type INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { loginAs, withMemorySessions } from 'nestjs-redis-session/testing';
import request from 'supertest';
import { AppModule } from '../app.module${suffix}';

describe('the login', () => {
  let app: INestApplication;

  beforeEach(async () => {
    const builder = Test.createTestingModule({ imports: [AppModule] });
    app = (await withMemorySessions(builder).compile()).createNestApplication();
    await app.init();
  });

  afterEach(() => app.close());

  it('opens the members page, until the logout', async () => {
    const agent = request.agent(app.getHttpServer());
    await agent.get('/members').expect(401);
    const wrong = { username: 'kim', password: 'wrong' };
    await agent.post('/login').send(wrong).expect(401);
    const right = { username: 'kim', password: 'kim' };
    await agent.post('/login').send(right).expect(201);
    await agent.get('/members').expect(200);
    await agent.post('/logout').expect(204);
    await agent.get('/members').expect(401);
  });

  it('is not needed in tests of other things', async () => {
    const agent = request.agent(app.getHttpServer());
    await loginAs(agent, { username: 'lee', authorities: ['USER'] });
    await agent.get('/members').expect(200, /Hello lee/);
  });
});
`;
