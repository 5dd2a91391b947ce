FROM node:26-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --omit=optional

FROM node:26-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY package.json LICENSE ./
COPY proxy ./proxy
COPY pages ./pages
# The default store, ./data/stepgate.db, is in the volume.
RUN mkdir /data && chown node:node /data && ln -s /data data
USER node
# The only place that is written to: run with --read-only.
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "proxy/main.ts", "healthcheck"]
ENTRYPOINT ["node", "proxy/main.ts"]
CMD ["start"]
