# One image for the realtime server and the trigger host.
FROM node:22.23.3-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.base.json ./
COPY packages/protocol/package.json packages/protocol/
COPY gears/package.json gears/
COPY apps/server/package.json apps/server/
COPY apps/web/package.json apps/web/
RUN npm ci --include-workspace-root --workspace packages/protocol --workspace gears --workspace apps/server --workspace apps/web
COPY packages packages
COPY gears gears
COPY apps apps
RUN npm run build --workspace gears --workspace apps/server --workspace apps/web

FROM node:22.23.3-bookworm-slim AS packages
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/protocol/package.json packages/protocol/
COPY gears/package.json gears/
COPY apps/server/package.json apps/server/
RUN npm ci --omit=dev --workspace gears --workspace apps/server

FROM node:22.23.3-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production
COPY --from=packages /app .
COPY --from=build /app/gears/dist gears/dist
COPY --from=build /app/apps/server/dist apps/server/dist
COPY --from=build /app/apps/web/dist apps/web/dist
USER node
EXPOSE 8080
CMD ["node", "apps/server/dist/main.js"]
