import { type IncomingHttpHeaders } from 'node:http';
import { type ArgumentsHost, Catch, NotFoundException } from '@nestjs/common';
import { BaseExceptionFilter, HttpAdapterHost } from '@nestjs/core';
import { SecurityContextHolder } from 'nestjs-redis-session';
import { ViewService } from './view.service.js';

/** Shows browsers a page where the address is wrong; programs get the JSON of Nest. */
@Catch(NotFoundException)
export class NotFoundFilter extends BaseExceptionFilter {
  constructor(
    private readonly view: ViewService,
    { httpAdapter }: HttpAdapterHost,
  ) {
    super(httpAdapter);
  }

  override catch(exception: NotFoundException, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const { headers } = http.getRequest<{ headers: IncomingHttpHeaders }>();
    if (!headers.accept?.includes('text/html')) return super.catch(exception, host);
    const user = SecurityContextHolder.getAuthentication()?.principal;
    const response = http.getResponse<object>();
    this.applicationRef?.setHeader(response, 'Content-Type', 'text/html; charset=utf-8');
    this.applicationRef?.reply(response, this.view.render('not-found', { user }), 404);
  }
}
