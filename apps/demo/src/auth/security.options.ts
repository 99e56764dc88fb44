import { defaultAccessDeniedHandler } from 'nestjs-redis-session/http';
import { SecurityContextHolder, type SecurityOptions } from 'nestjs-redis-session';
import { ViewService } from '../pages/view.service.js';

const view = new ViewService();

/** In the look of the site; programs get problem details. */
function deniedPage(): string {
  return view.render('denied', { user: SecurityContextHolder.getAuthentication()?.principal });
}

/** Where people log in, where they go afterwards, and what they see where they may not go. */
export const securityOptions: SecurityOptions = {
  loginPage: '/login',
  // Answers POST /logout.
  logout: { successPath: '/login?reason=logged-out' },
  accessDeniedHandler: defaultAccessDeniedHandler({ page: deniedPage }),
};
