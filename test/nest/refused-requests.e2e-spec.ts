import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Post, Req, UseGuards } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import {
  CsrfToken,
  CurrentSession,
  CurrentUser,
  LoginGuard,
  LoginService,
  LogoutService,
  type RedisSessionModuleOptions,
  type SecurityOptions,
  type Session,
  SessionManagementModule,
  SessionRegistry,
} from 'nestjs-redis-session';
import { Strategy } from 'passport-local';
import { LoggedLines } from '../support/apps/logged-lines.js';
import { ADMIN, LOGIN_PARTS } from '../support/apps/login-parts.js';
import { type StartedApp, startApp } from '../support/apps/start-app.js';
import { Visitor } from '../support/http/visitor.js';

@Injectable()
class AnyUserStrategy extends PassportStrategy(Strategy) {
  validate(username: string): object {
    return { username };
  }
}

@Controller()
class ShopController {
  constructor(
    private readonly logins: LoginService,
    private readonly logouts: LogoutService,
    private readonly registry: SessionRegistry,
  ) {}

  @Post('login')
  @UseGuards(LoginGuard('local'))
  login(): string {
    return 'logged in';
  }

  /** Logs in whoever the body says. */
  @Post('login-as')
  async loginAs(@Req() request: { readonly body: object }): Promise<string> {
    await this.logins.login(request, request.body);
    return 'logged in';
  }

  @Post('logout-everywhere')
  async logout(@Req() request: object): Promise<string> {
    await this.logouts.logout(request, { endsEverySession: true });
    return 'logged out';
  }

  @Post('sessions')
  async sessions(@CurrentUser('username') name: string): Promise<unknown> {
    return this.registry.list(name);
  }

  @Get('form')
  form(@CsrfToken() token: string): string {
    return token;
  }

  @Get('cart')
  cart(@CurrentSession() session: Session): unknown {
    return session.getAttribute('cart') ?? [];
  }
}

/** Logs in without the module. */
@Controller()
class BareController {
  @Post('login')
  @UseGuards(LoginGuard('local'))
  login(): string {
    return 'logged in';
  }
}

interface Visit {
  /** Of the module; undefined: the application has none. */
  readonly options?: RedisSessionModuleOptions | undefined;
  readonly user?: object;
  readonly security?: SecurityOptions;
}

const KIM = { username: 'kim', password: 'x' };
const EXCLUDED = 'the route is excluded from sessions';
const stamped = (fields: object): SecurityOptions => ({
  credentialStamp: (user) => (user as { readonly changedAt: string }).changedAt,
  loadPrincipal: (id) => ({ ...(id as object), ...fields }),
});
const INDEXED_ONLY = "only the indexed repository can. Set repository to 'indexed'.";
const NOT_PASSED =
  'Cannot log in: the request did not pass through RedisSessionModule. Import RedisSessionModule.forRoot(), and take the route out of its option exclude.';

/** What the log says, the request, and the same request where what the sentence says is done. */
const CASES: readonly [sentence: string, path: string, wrong: Visit, ...right: Visit[]][] = [
  [NOT_PASSED, 'POST /login', { options: undefined }, { options: {} }],
  [NOT_PASSED, 'POST /login', { options: { exclude: ['login'] } }, { options: {} }],
  [NOT_PASSED, 'POST /login-as', { options: { exclude: ['login-as'] } }, { options: {} }],
  [
    `Cannot make a CSRF token: ${EXCLUDED}. Take it out of the option exclude.`,
    'GET /form',
    { options: { exclude: ['form'] } },
    {},
  ],
  [
    `Cannot use the session in ShopController.cart: ${EXCLUDED}, or is no HTTP route. Take it out of the option exclude.`,
    'GET /cart',
    { options: { exclude: ['cart'] } },
    {},
  ],
  [
    'Cannot log in: the user has none of username, sub, id, email, name. Add one, or set the option security.toAuthentication.',
    'POST /login-as',
    { user: { nick: 'kim' } },
    ...['username', 'sub', 'id', 'email', 'name'].map((field) => ({ user: { [field]: 'kim' } })),
    {
      user: { nick: 'kim' },
      security: {
        toAuthentication: (user) => ({
          name: (user as { readonly nick: string }).nick,
          authorities: [],
          principal: user,
        }),
      },
    },
  ],
  [
    'Cannot log in: security.toAuthentication must return an object with a name and a list of authorities.',
    'POST /login-as',
    { security: { toAuthentication: () => ({ name: 'kim' }) as never } },
    { security: { toAuthentication: () => ({ name: 'kim', authorities: [], principal: {} }) } },
  ],
  [
    'security.credentialStamp must return a string, got undefined. Let loadPrincipal load the fields that the stamp uses.',
    'POST /login-as',
    { user: { ...KIM, changedAt: 'monday' }, security: stamped({ changedAt: undefined }) },
    { user: { ...KIM, changedAt: 'monday' }, security: stamped({ changedAt: 'monday' }) },
  ],
  [
    `Cannot find the sessions of a user: ${INDEXED_ONLY}`,
    'POST /sessions',
    {},
    { options: { repository: 'indexed' } },
  ],
  [
    'Cannot find the sessions of a user: the name must be a string, got undefined. It is the `name` of the authentication.',
    'POST /sessions',
    { options: { repository: 'indexed' }, user: { sub: 'kim' } },
    { options: { repository: 'indexed' } },
  ],
  [
    `Cannot end every session of a user: ${INDEXED_ONLY}`,
    'POST /logout-everywhere',
    {},
    { options: { repository: 'indexed' } },
  ],
];

describe('A request', () => {
  const log = new LoggedLines();
  let app: StartedApp | undefined;

  afterEach(async () => {
    await app?.close();
    app = undefined;
    log.clear();
  });

  /** Whether a visitor who has logged in first, where that is possible, gets an answer of success. */
  const succeeds = async (path: string, visit: Visit): Promise<boolean> => {
    await app?.close();
    log.clear();
    const { user = KIM, security = {}, options } = { options: {}, ...visit };
    const given = { store: 'memory', logger: log, security, ...options } as const;
    app = await startApp('express', {
      log,
      controllers: [options ? ShopController : BareController],
      providers: [AnyUserStrategy],
      ...(options && { options: given }),
    });
    const visitor = new Visitor(app.url);
    if (options && !path.endsWith('/login')) await visitor.post('/login-as', user);
    const [method, route = ''] = path.split(' ');
    const { status } = await (method === 'GET' ? visitor.get(route) : visitor.post(route, user));
    return status < 300;
  };

  it.each(CASES)('fails with: %s (%s)', async (sentence, path, wrong, ...right) => {
    expect(await succeeds(path, wrong)).toBe(false);
    expect(log.text).toContain(`${sentence}\n`);
    for (const visit of right) {
      expect(await succeeds(path, visit)).toBe(true);
      expect(log.text).not.toContain('Cannot');
    }
  });

  const MANY =
    'Sessions are found by the `name` of a user, which others may share. Give users a `username`, `sub`, `id` or `email`, or set the option security.toAuthentication.';
  const indexed: RedisSessionModuleOptions = { repository: 'indexed' };
  it.each<[string, boolean, Visit]>([
    [
      'is warned of where users are found by their name only',
      true,
      { options: indexed, user: { name: 'Kim' } },
    ],
    [
      'is not warned of with a username',
      false,
      { options: indexed, user: { name: 'Kim', username: 'kim' } },
    ],
    [
      'is not warned of with security.toAuthentication',
      false,
      {
        options: indexed,
        user: { name: 'Kim' },
        security: {
          toAuthentication: (user) => ({ name: 'kim', authorities: [], principal: user }),
        },
      },
    ],
  ])('of a login %s', async (_case, isWarned, visit) => {
    expect(await succeeds('POST /login-as', visit)).toBe(true);
    expect(log.text.includes(MANY)).toBe(isWarned);
  });
});

describe('The administration of sessions', () => {
  const ROUTE = '/actuator/sessions';
  let app: StartedApp;

  afterEach(() => app.close());

  const messageOf = async (path: string, repository: 'default' | 'indexed'): Promise<unknown> => {
    app = await startApp('express', {
      options: { store: 'memory', repository },
      ...LOGIN_PARTS,
      imports: [SessionManagementModule.forRoot()],
    });
    const admin = new Visitor(app.url);
    await admin.post('/login', ADMIN);
    const { status, body } = await admin.get(path);
    return status === 200 ? 'found' : (body as { readonly message: string }).message;
  };

  it.each([
    [
      'Sessions are not indexed. Set repository to "indexed".',
      `${ROUTE}?username=kim&offset=0&limit=10`,
      'default',
    ],
    ['username must be given.', `${ROUTE}?offset=0&limit=10`, 'indexed'],
    [
      'offset and limit must be whole numbers.',
      `${ROUTE}?username=kim&offset=-1&limit=10`,
      'indexed',
    ],
    ['limit must be above 0.', `${ROUTE}?username=kim&offset=0&limit=0`, 'indexed'],
    ['found', `${ROUTE}?username=kim&offset=0&limit=10`, 'indexed'],
  ] as const)('says: %s (%s, %s)', async (message, path, repository) => {
    expect(await messageOf(path, repository)).toBe(message);
  });
});
