import ipaddr from 'ipaddr.js'

/** What a PROXY protocol header of version 2 says: a client, or raw parts. */
export type ProxyV2 =
  | { readonly address: string; readonly port?: number; readonly tlvs?: Buffer }
  | { readonly command: number; readonly family: number; readonly body?: Buffer }

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')

/** The header as a balancer writes it (HAProxy's "The PROXY protocol", §2.2). */
export function proxyV2(header: ProxyV2): Buffer {
  if ('command' in header) {
    return join(header.command, header.family, header.body ?? Buffer.alloc(0))
  }
  const { address, port = 4711, tlvs = Buffer.alloc(0) } = header
  const source = Buffer.from(ipaddr.parse(address).toByteArray())
  const ports = Buffer.alloc(4)
  ports.writeUInt16BE(port)
  ports.writeUInt16BE(443, 2)
  const body = Buffer.concat([source, Buffer.alloc(source.length, 1), ports, tlvs])
  return join(0x21, source.length === 4 ? 0x11 : 0x21, body)
}

function join(command: number, family: number, body: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(body.length)
  return Buffer.concat([SIGNATURE, Buffer.from([command, family]), length, body])
}
