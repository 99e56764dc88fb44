import {
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
  type PipeTransform,
} from '@nestjs/common';
import { CsrfTokenService } from './csrf-token.service.js';
import { findRequest } from './message-context.js';

/** The service is only known to what Nest builds: a pipe is. */
@Injectable()
class CsrfTokenPipe implements PipeTransform {
  constructor(@Inject(CsrfTokenService) private readonly tokens: CsrfTokenService) {}

  transform(request: object): Promise<string> {
    return this.tokens.tokenOf(request);
  }
}

const RequestOfContext = createParamDecorator((_data: unknown, context: ExecutionContext) =>
  findRequest(context),
);

/** Injects the token that a form of the page must send back. See the option `security.csrf`. */
export const CsrfToken = (): ParameterDecorator => RequestOfContext(CsrfTokenPipe);
