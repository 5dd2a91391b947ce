import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { HostileUpstream } from './upstream.ts'
import { startBehind } from './upstream-behind.ts'

const PROGRAM = '/usr/sbin/nginx'

/** For `{ skip: nginxMissing }`. */
export const nginxMissing = existsSync(PROGRAM) ? false : `needs ${PROGRAM} (Debian's nginx)`

/** nginx, as lax as it can be made, with Node's server behind it. */
export function startNginx(): Promise<HostileUpstream> {
  return startBehind('nginx', (application) => async (folder, port) => {
    const file = join(folder, 'nginx.conf')
    await writeFile(file, configuration(folder, port, application))
    return { program: PROGRAM, args: ['-p', folder, '-e', 'stderr', '-c', file] }
  })
}

const configuration = (folder: string, port: number, application: URL) => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
events { worker_connections 256; }
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  keepalive_requests 1000000;
  keepalive_timeout 1h;
  large_client_header_buffers 4 64k;
  underscores_in_headers on;
  ignore_invalid_headers off;
  merge_slashes off;
  upstream application { server ${application.host}; keepalive 16; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://application;
      proxy_http_version 1.1;
      proxy_next_upstream off;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Seen-Line "$request_method $request_uri";
      proxy_set_header X-Seen-Path "[$uri]";
    }
  }
}
`
