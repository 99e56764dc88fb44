# One replica of the demo: docker build -t pod . && docker run -e REDIS_URL=redis://… -p 3000:3000 pod

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY libs/redis-session/package.json libs/redis-session/
COPY apps/demo/package.json apps/demo/
RUN npm ci
COPY . .
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY libs/redis-session/package.json libs/redis-session/
COPY apps/demo/package.json apps/demo/
RUN npm ci --omit=dev

FROM node:24-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY --from=dependencies /app ./
COPY --from=build /app/libs/redis-session/dist libs/redis-session/dist
COPY --from=build /app/apps/demo/dist apps/demo/dist
COPY apps/demo/views apps/demo/views
USER node
EXPOSE 3000
HEALTHCHECK --interval=5s --timeout=3s --start-period=10s --retries=5 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Not through npm: node itself receives SIGTERM and finishes the requests that are under way.
CMD ["node", "apps/demo/dist/main.js"]
