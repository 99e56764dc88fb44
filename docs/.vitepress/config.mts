import { defineConfig, type MarkdownRenderer } from 'vitepress';

/** Sources and tests are not part of the site: what links to them stays as text. */
function unlinkFilesOutside(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push('files-outside', ({ tokens }) => {
    for (const { children } of tokens) {
      let isOutside = false;
      for (const token of children ?? []) {
        if (token.type === 'link_open') {
          isOutside = token.attrGet('href')?.startsWith('../') === true;
          if (isOutside) token.attrs = [];
        }
        if (isOutside && token.type.startsWith('link_')) token.tag = 'span';
      }
    }
  });
}

export default defineConfig({
  title: 'nestjs-redis-session',
  description: 'HTTP sessions that every replica of a Nest application shares',
  lang: 'en',
  cleanUrls: true,
  ignoreDeadLinks: 'localhostLinks',
  lastUpdated: false,
  markdown: { config: unlinkFilesOutside },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      { text: 'Getting started', link: '/getting-started' },
      { text: 'Options', link: '/options' },
      { text: 'Security', link: '/security' },
    ],
    sidebar: [
      { text: 'Getting started', link: '/getting-started' },
      { text: 'Four ways to keep a login', link: '/four-ways' },
      {
        text: 'Guides',
        items: [
          { text: 'Sessions', link: '/sessions' },
          { text: 'Login, protected routes, logout', link: '/login' },
          { text: 'Sessions of a user', link: '/sessions-of-a-user' },
          { text: 'Testing', link: '/testing' },
        ],
      },
      {
        text: 'Coming from',
        items: [
          { text: 'express-session', link: '/express-session' },
          { text: 'Moving stored sessions', link: '/migration' },
          { text: 'Spring Boot beside Nest', link: '/spring' },
          { text: "Spring's classes", link: '/spring-mapping' },
        ],
      },
      {
        text: 'Production',
        items: [
          { text: 'Security', link: '/security' },
          { text: 'Operations', link: '/operations' },
          { text: 'Scaling', link: '/scaling' },
          { text: 'Stores', link: '/stores' },
        ],
      },
      {
        text: 'Reference',
        items: [
          { text: 'Options', link: '/options' },
          { text: 'HTTP answers', link: '/http' },
          { text: 'Storage', link: '/storage' },
          { text: 'Architecture', link: '/architecture' },
        ],
      },
    ],
  },
});
