import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from '../../test/support/free-port.ts'
import { until } from '../../test/support/until.ts'
import { launch, onCores } from '../processes.ts'
import { type Server, type Setting, serverOf } from './setting.ts'

/** nginx with one worker, `proxy_pass`, connections that are kept both ways, and no log. */
export async function startNginx(setting: Setting): Promise<Server> {
  const port = await freePort()
  const { folder } = setting
  const file = join(folder, 'nginx.conf')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  await writeFile(
    file,
    `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 1000000000;
  ${temporary.map((name) => `${name}_temp_path ${folder}/nginx-${name};`).join('\n  ')}
  upstream application {
    server ${new URL(setting.application).host};
    keepalive 128;
    keepalive_requests 1000000000;
  }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://application;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host $http_host;
    }
  }
}
`,
  )
  const command = [...onCores(setting.cores.measured), 'nginx', '-e', 'stderr', '-c', file]
  const child = launch(command, {}, ['ignore', 'ignore', 'inherit'])
  const origin = `http://127.0.0.1:${port}`
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`nginx ended with ${child.exitCode}`)
    return (await fetch(`${origin}/small`).catch(() => undefined))?.ok === true
  })
  return serverOf(child, origin)
}
