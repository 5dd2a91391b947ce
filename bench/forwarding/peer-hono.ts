/** A process of its own: Hono's proxy helper, as its documentation has it. */
import type { Server } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { Hono } from 'hono'
import { proxy } from 'hono/proxy'
import { tellOrigin } from './tell-origin.ts'

const [application = ''] = process.argv.slice(2)
const app = new Hono()
app.all('*', ({ req }) => proxy(application + req.path, { raw: req.raw, headers: req.header() }))

tellOrigin(createAdaptorServer({ fetch: app.fetch }) as Server)
