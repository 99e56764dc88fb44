import { BadRequestException, Body, Controller, Get, Post } from '@nestjs/common';
import { CurrentSession, type Session } from 'nestjs-redis-session';
import { environment } from '../environment.js';
import '../session-attributes.js';

interface CartView {
  cart: string[];
  pod: string;
}

/** A cart in the session: it needs no login, and it survives the login. */
@Controller('api/cart')
export class CartController {
  @Get()
  show(@CurrentSession() session: Session): CartView {
    return { cart: session.getAttribute('cart') ?? [], pod: environment.podName };
  }

  @Post()
  async add(@CurrentSession() session: Session, @Body('item') item: unknown): Promise<CartView> {
    const cart = await session.update('cart', (items = []) => [...items, checkItem(item)]);
    return { cart: cart ?? [], pod: environment.podName };
  }
}

/** @throws BadRequestException */
export function checkItem(item: unknown): string {
  if (typeof item === 'string' && item.trim().length > 0 && item.length <= 100) return item.trim();
  throw new BadRequestException('`item` must be a text of 1 to 100 characters.');
}
