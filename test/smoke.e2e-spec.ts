import { Body, Controller, Get, Module, Post, Req, Res, UseGuards } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { ExpressAdapter } from '@nestjs/platform-express';
import { PassportStrategy } from '@nestjs/passport';
import { Strategy } from 'passport-local';
import request from 'supertest';
import { RedisSessionModule, CurrentSession, CurrentUser, Authenticated, LoginGuard, LogoutService, RequireAuthorities, SecurityContextHolder, type Session } from 'nestjs-redis-session';

class Local extends PassportStrategy(Strategy) {
  validate(username: string, password: string) {
    return username === password ? { username, password, authorities: username === 'admin' ? ['ADMIN'] : ['USER'] } : null;
  }
}

@Controller()
class C {
  constructor(private readonly logoutService: LogoutService) {}
  @Get() home() { return 'hi'; }
  @Post('login') @UseGuards(LoginGuard('local')) login(@CurrentUser() user: unknown) { return { user, ctx: SecurityContextHolder.getAuthentication()?.name }; }
  @Get('me') @Authenticated() me(@CurrentUser() user: unknown) { return { user, ctx: SecurityContextHolder.getAuthentication()?.name }; }
  @Get('admin') @RequireAuthorities('ADMIN') admin() { return 'ok'; }
  @Post('cart') add(@CurrentSession() session: Session, @Body() item: unknown) {
    session.update<unknown[]>('cart', (cart = []) => [...cart, item]);
  }
  @Get('cart') cart(@CurrentSession() session: Session) { return session.getAttribute('cart') ?? []; }
  @Get('res') res(@CurrentSession() session: Session, @Res() res: any) { session.setAttribute('x', 1); res.send('sent'); }
  @Post('logout') async logout(@Req() req: object) { await this.logoutService.logout(req); return { ok: true }; }
}

describe.each([['express', () => new ExpressAdapter()], ['fastify', () => new FastifyAdapter()]] as const)('%s', (name, adapter) => {
  it('works', async () => {
    const make = async () => {
      @Module({ imports: [RedisSessionModule.forRoot({ redis: 'redis://127.0.0.1:6399', namespace: 'smoke', security: { loginPage: '/login' } })], controllers: [C], providers: [Local] })
      class App {}
      const app = (await Test.createTestingModule({ imports: [App] }).compile()).createNestApplication(adapter() as any);
      await app.listen(0, '127.0.0.1');
      return app;
    };
    const a = await make(); const b = await make();
    const ra = request(await a.getUrl()), rb = request(await b.getUrl());
    expect((await ra.get('/')).headers['set-cookie']).toBeUndefined();
    const me0 = await ra.get('/me'); expect(me0.status).toBe(401); expect(me0.body.detail).toBeDefined();
    const nav = await ra.get('/me?tab=2').set('Accept', 'text/html'); expect(nav.status).toBe(302); expect(nav.headers.location).toBe('/login');
    const anon = nav.headers['set-cookie']![0]!.split(';')[0]!;
    const login = await rb.post('/login').set('Cookie', anon).set('Accept', 'text/html').type('form').send({ username: 'kim', password: 'kim' });
    expect([login.status, login.headers.location]).toEqual([303, '/me?tab=2']);
    const cookie = login.headers['set-cookie']![0]!.split(';')[0]!;
    expect(cookie).not.toBe(anon);
    expect((await ra.get('/me').set('Cookie', cookie)).body).toEqual({ user: { username: 'kim', authorities: ['USER'] }, ctx: 'kim' });
    expect((await ra.get('/me').set('Cookie', anon)).status).toBe(401);
    expect((await ra.get('/admin').set('Cookie', cookie)).status).toBe(403);
    expect((await ra.post('/cart').set('Cookie', cookie).send({ sku: 1 })).status).toBe(201);
    expect((await rb.get('/cart').set('Cookie', cookie)).body).toEqual([{ sku: 1 }]);
    expect((await ra.get('/res')).headers['set-cookie']).toHaveLength(1);
    const bad = await ra.post('/login').send({ username: 'kim', password: 'x' }); expect(bad.status).toBe(401);
    const good = await ra.post('/login').send({ username: 'kim', password: 'kim' }); expect(good.body).toEqual({ user: { username: 'kim', authorities: ['USER'] }, ctx: 'kim' });
    const out = await rb.post('/logout').set('Cookie', cookie); expect(out.headers['set-cookie']![0]).toMatch(/Max-Age=0/);
    expect((await ra.get('/me').set('Cookie', cookie)).status).toBe(401);
    await a.close(); await b.close();
  });
});
