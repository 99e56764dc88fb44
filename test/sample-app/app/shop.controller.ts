import { Body, Controller, Delete, Get, HttpCode, Post, Req, Session } from '@nestjs/common';
import { type AppRequest, type AppSession } from './app-request.js';

@Controller()
export class ShopController {
  @Get('views')
  views(@Session() session: AppSession): number {
    session.views = (session.views ?? 0) + 1;
    return session.views;
  }

  @Get('cart')
  cart(@Session() { cart }: AppSession): string[] {
    return cart?.items ?? [];
  }

  @Post('cart')
  @HttpCode(200)
  add(@Session() session: AppSession, @Body() { item }: { item: string }): string[] {
    session.cart ??= { items: [] };
    session.cart.items.push(item);
    return session.cart.items;
  }

  @Delete('cart')
  empty(@Session() session: AppSession): object {
    delete session.cart;
    return { hasCart: 'cart' in session };
  }

  @Get('stored')
  stored(@Req() { session }: AppRequest): object {
    return {
      names: Object.keys(session).sort(),
      json: JSON.parse(JSON.stringify(session)) as object,
    };
  }

  /** One-time messages, as connect-flash and passport's `failureMessage` keep them. */
  @Post('messages')
  @HttpCode(200)
  tell(@Session() session: AppSession, @Body() { message }: { message: string }): void {
    session.messages = session.messages ?? [];
    session.messages.push(message);
  }

  @Get('messages')
  messages(@Session() session: AppSession): string[] {
    return session.messages?.splice(0) ?? [];
  }

  @Post('remember')
  @HttpCode(200)
  remember(@Session() session: AppSession): void {
    session.views = 0;
    session.cookie.maxAge = 30 * 24 * 60 * 60 * 1000;
  }

  @Post('start-over')
  @HttpCode(200)
  async startOver(@Req() request: AppRequest): Promise<object> {
    await new Promise<void>((resolve, reject) => {
      request.session.regenerate((error) => (error ? reject(error) : resolve()));
    });
    request.session.views = 100;
    return { hasCart: 'cart' in request.session };
  }

  @Delete('session')
  async end(@Req() request: AppRequest): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      request.session.destroy((error) => (error ? reject(error) : resolve()));
    });
  }
}
