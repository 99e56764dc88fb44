import { HttpException, HttpStatus } from '@nestjs/common';

/**
 * Leaves the handler of a login on the way back to the page that was asked for. Answered by
 * `ExceptionTranslationFilter`; the `Location` header is set already, so an application's own catch-all filter that
 * keeps the status is enough.
 */
export class LoginRedirect extends HttpException {
  constructor(readonly location: string) {
    super({ location }, HttpStatus.SEE_OTHER);
  }
}
