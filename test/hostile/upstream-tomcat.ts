import { existsSync } from 'node:fs'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runServer } from './run-server.ts'
import type { HostileUpstream, Seen } from './upstream.ts'

const HOME = '/usr/share/tomcat10'
const JAVA = '/usr/bin/java'
const BOOTSTRAP = `${HOME}/bin/bootstrap.jar`

/** For `{ skip: tomcatMissing }`. */
export const tomcatMissing = missing()

/** Tomcat, as lax as it can be made, with a page that tells what it was asked. */
export async function startTomcat(): Promise<HostileUpstream> {
  const server = await runServer(async (folder, port) => {
    await mkdir(join(folder, 'conf'), { recursive: true })
    await mkdir(join(folder, 'app/WEB-INF'), { recursive: true })
    await mkdir(join(folder, 'temp'), { recursive: true })
    await writeFile(join(folder, 'conf/server.xml'), serverXml(folder, port))
    await writeFile(join(folder, 'conf/web.xml'), WEB_XML)
    await copyFile(new URL('echo.jsp', import.meta.url), join(folder, 'app/echo.jsp'))
    return { program: JAVA, args: javaArgs(folder) }
  })
  const origin = new URL(`http://127.0.0.1:${server.port}`)
  const take = async () => {
    const response = await fetch(new URL('/_seen', origin))
    const text = await response.text()
    if (!response.ok) throw new Error(text)
    return text.split('\n').filter(Boolean).map(readSeen)
  }
  await take()
  return { name: 'Tomcat', origin, take, close: () => server.stop() }
}

function readSeen(line: string): Seen {
  const fields = line.split(',').map((field) => Buffer.from(field, 'hex').toString('latin1'))
  const [method = '', target = '', path, body = '', trailers = '', ...rawHeaders] = fields
  const rawTrailers = trailers.split('\n').slice(0, -1)
  return { method, target, path, body, rawHeaders, rawTrailers }
}

const javaArgs = (folder: string) => [
  ...['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-Xmx192m'],
  ...[`-Dcatalina.home=${HOME}`, `-Dcatalina.base=${folder}`, `-Djava.io.tmpdir=${folder}/temp`],
  ...['-cp', `${BOOTSTRAP}:${HOME}/bin/tomcat-juli.jar`],
  ...['org.apache.catalina.startup.Bootstrap', 'start'],
]

const LAX = `&quot;&lt;&gt;[\\]^\`{|}`

const serverXml = (folder: string, port: number) => `<Server port="-1">
  <Service name="Catalina">
    <Connector address="127.0.0.1" port="${port}" maxKeepAliveRequests="-1" keepAliveTimeout="3600000"
      maxHttpRequestHeaderSize="65536" relaxedPathChars="${LAX}" relaxedQueryChars="${LAX}"
      rejectIllegalHeader="false" allowTrace="true" minSpareThreads="2" />
    <Engine name="Catalina" defaultHost="localhost">
      <Host name="localhost" appBase="${folder}/none" deployOnStartup="false" autoDeploy="false">
        <Context path="" docBase="${folder}/app" />
      </Host>
    </Engine>
  </Service>
</Server>
`

const WEB_XML = `<web-app xmlns="https://jakarta.ee/xml/ns/jakartaee" version="6.0" metadata-complete="true">
  <servlet><servlet-name>jsp</servlet-name><servlet-class>org.apache.jasper.servlet.JspServlet</servlet-class>
    <init-param><param-name>development</param-name><param-value>false</param-value></init-param></servlet>
  <servlet><servlet-name>echo</servlet-name><jsp-file>/echo.jsp</jsp-file>
    <load-on-startup>1</load-on-startup></servlet>
  <servlet-mapping><servlet-name>echo</servlet-name><url-pattern>/*</url-pattern></servlet-mapping>
</web-app>
`

function missing(): string | false {
  const absent = [JAVA, BOOTSTRAP].filter((file) => !existsSync(file))
  return absent.length === 0 ? false : `needs ${absent.join(' and ')} (Debian's tomcat10)`
}
