import { type ExecutionContext } from '@nestjs/common';
import { type SessionRequest } from '../http/session-request.js';
import { sessionSecurityContextRepository } from '../security/session-security-context-repository.js';
import { SecurityContextHolder } from '../security/security-context-holder.js';
import { EMPTY_SECURITY_CONTEXT, type SecurityContext } from '../security/security-context.js';
import { findSessionRequest } from './current-session-request.js';
import { type PrincipalLoader } from './security.options.js';
