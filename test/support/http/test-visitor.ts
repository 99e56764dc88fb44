import request, { type Response, type Test } from 'supertest';
import { CookieJar } from 'tough-cookie';

/** What Chromium sends when somebody follows a link or sends a form. */
export const NAVIGATION = {
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8',
  'sec-fetch-dest': 'document',
  'sec-fetch-mode': 'navigate',
  'upgrade-insecure-requests': '1',
} as const;

/** What a program sends. */
export const API = { accept: 'application/json' } as const;

/** Somebody who keeps cookies as a browser does and follows no redirect. */
export class TestVisitor {
  private jar = new CookieJar();

  /** @param url - of the application; may be changed to that of another replica, cookies stay */
  constructor(public url: string) {}

  /** Goes to a page as a browser does. */
  open(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.send(path, (site) => site.get(path).set({ ...NAVIGATION, ...headers }));
  }

  /** Sends a form as a browser does. */
  submit(path: string, fields: Record<string, string> = {}): Promise<Response> {
    return this.send(path, (site) => site.post(path).set(NAVIGATION).type('form').send(fields));
  }

  /** Asks as a program does. */
  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.send(path, (site) => site.get(path).set({ ...API, ...headers }));
  }

  /** Puts JSON as a program does. */
  put(path: string, content: object): Promise<Response> {
    return this.send(path, (site) => site.put(path).set(API).send(content));
  }

  /** Deletes as a program does. */
  remove(path: string): Promise<Response> {
    return this.send(path, (site) => site.delete(path).set(API));
  }

  /** Sends JSON as a program does. */
  post(
    path: string,
    content: object = {},
    headers: Record<string, string> = {},
  ): Promise<Response> {
    const all = { ...API, ...headers };
    return this.send(path, (site) => site.post(path).set(all).send(content));
  }

  /** The value of a cookie; undefined when there is none. */
  async cookie(name = 'SESSION'): Promise<string | undefined> {
    const cookies = await this.jar.getCookies(this.url);
    return cookies.find(({ key }) => key === name)?.value;
  }

  /** A second browser with the same cookies: a thief, or a request that was under way. */
  async twin(): Promise<TestVisitor> {
    const twin = new TestVisitor(this.url);
    twin.jar = await this.jar.clone();
    return twin;
  }

  private async send(
    path: string,
    prepare: (site: ReturnType<typeof request>) => Test,
  ): Promise<Response> {
    const address = new URL(path, this.url).href;
    const cookie = await this.jar.getCookieString(address);
    const prepared = prepare(request(this.url)).redirects(0);
    const response = await (cookie === '' ? prepared : prepared.set('cookie', cookie));
    for (const line of setCookieLinesOf(response)) await this.jar.setCookie(line, address);
    return response;
  }
}

/** All `Set-Cookie` lines of a response. */
export function setCookieLinesOf(response: Response): string[] {
  return (response.headers['set-cookie'] ?? []) as unknown as string[];
}
